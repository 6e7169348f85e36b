/**
 * How an operator may be used. `constant`: inputs that carry a shape, an axis or a size, which may depend on constants
 * and on the shape of the input, and never on its values: what a graph allocates then depends on the number of samples
 * alone, so that an evaluation under a memory limit bounds what serving allocates.
 */
export interface OperatorRule {
  readonly constant: readonly number[];
}

const FREE: OperatorRule = { constant: [] };
const constant = (...inputs: number[]): OperatorRule => ({ constant: inputs });

const free = (names: string): Record<string, OperatorRule> =>
  Object.fromEntries(names.split(' ').map((name) => [name, FREE]));

/** Pure functions of tensors that classifiers consist of. Each gives the same answer to the same samples. */
const STANDARD: Readonly<Record<string, OperatorRule>> = {
  // arithmetic, entry by entry
  ...free('Abs Add Ceil Div Erf Exp Floor Log Max Mean Min Mod Mul Neg Pow Reciprocal Round Sign Sqrt Sub Sum'),
  ...free('And Equal Greater GreaterOrEqual IsNaN Less LessOrEqual Not Or Where Xor'),
  // activations
  ...free('Celu Elu Gelu HardSigmoid HardSwish LeakyRelu LogSoftmax Mish PRelu Relu Selu Sigmoid Softmax Softplus'),
  ...free('Softsign Tanh ThresholdedRelu'),
  // layers
  ...free('AveragePool BatchNormalization Conv ConvTranspose Dropout Gemm GlobalAveragePool GlobalMaxPool'),
  ...free('GroupNormalization InstanceNormalization LRN LayerNormalization MatMul MaxPool'),
  // reductions
  ...{ ReduceL1: constant(1), ReduceL2: constant(1), ReduceLogSumExp: constant(1), ReduceMax: constant(1) },
  ...{ ReduceMean: constant(1), ReduceMin: constant(1), ReduceProd: constant(1), ReduceSum: constant(1) },
  ...{ ReduceSumSquare: constant(1), ...free('ArgMax ArgMin') },
  // shapes
  ...free('Cast Concat Constant Flatten Gather Identity Shape Size Transpose'),
  ...{ Clip: constant(1, 2), Expand: constant(1), Pad: constant(1, 2, 3), Reshape: constant(1) },
  ...{ Slice: constant(1, 2, 3, 4), Split: constant(1), Squeeze: constant(1), Unsqueeze: constant(1) },
};

/** Classical models and what stands before them. `ZipMap` makes maps of probabilities: it is taken out again. */
const ML: Readonly<Record<string, OperatorRule>> = {
  ...free('Binarizer FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer OneHotEncoder'),
  ...free('SVMClassifier SVMRegressor Scaler TreeEnsembleClassifier TreeEnsembleRegressor ZipMap'),
  ArrayFeatureExtractor: constant(1),
};

/** Operators by domain. An operator or a domain that is not here is refused. */
export const OPERATORS: Readonly<Record<string, Readonly<Record<string, OperatorRule>>>> = {
  '': STANDARD,
  'ai.onnx.ml': ML,
};

/** The domain of standard operators has two spellings. */
export function domainOf(domain: string | null | undefined): string {
  return domain === 'ai.onnx' ? '' : (domain ?? '');
}
