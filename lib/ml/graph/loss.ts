import type { ModelConfig } from '../../../contracts/model-config.ts';
import { attribute, DataType } from './attributes.ts';
import type { GraphBuilder, Output } from './builder.ts';

/** What decides the loss of a network. */
export interface Head {
  readonly outputs: number;
  readonly task: ModelConfig['task'];
  /** Labels are distributions over the classes [batch, outputs], not class indices. */
  readonly soft?: boolean;
}

/** Loss by sample, and its gradient with respect to the network's output [batch, outputs]. */
export interface Loss {
  readonly losses: Output;
  readonly gradient: Output;
}

/** Softmax cross-entropy of class indices or distributions, or the squared error of standardised targets, which have no smoothing. */
export function lossOf(
  graph: GraphBuilder,
  { outputs, task, soft = false }: Head,
  { output, labels, smoothing }: { readonly output: Output; readonly labels: Output; readonly smoothing: number },
): Loss {
  if (task === 'regression') return squaredError(graph, output, labels);
  if (soft) return softmaxCrossEntropy(graph, output, labels);
  return crossEntropy(graph, output, labels, outputs, smoothing);
}

function squaredError(graph: GraphBuilder, output: Output, targets: Output): Loss {
  const error = graph.float('Sub', [graph.reshape(output, [-1]), targets]);
  const gradient = graph.reshape(graph.float('Mul', [error, graph.scalar(2)]), [-1, 1]);
  return { losses: graph.float('Square', [error]), gradient };
}

function crossEntropy(graph: GraphBuilder, logits: Output, labels: Output, classes: number, smoothing: number): Loss {
  const off = smoothing / classes;
  const targets = graph.float(
    'OneHot',
    [labels, graph.integer(classes), graph.scalar(1 - smoothing + off), graph.scalar(off)],
    {
      axis: attribute.integer(-1),
      TI: attribute.type(DataType.int32),
    },
  );
  return softmaxCrossEntropy(graph, logits, targets);
}

/** Of its parts, as TensorFlow's own operation for it has no deterministic implementation on a GPU. */
function softmaxCrossEntropy(graph: GraphBuilder, logits: Output, targets: Output): Loss {
  const likelihoods = graph.float('Mul', [targets, graph.float('LogSoftmax', [logits])]);
  return {
    losses: graph.float('Neg', [graph.sum(likelihoods, [1])]),
    gradient: graph.float('Sub', [graph.float('Softmax', [logits]), targets]),
  };
}

export const INT_TO_FLOAT = { SrcT: attribute.type(DataType.int32), DstT: attribute.type(DataType.float32) };

/** The class of the largest logit, int32. */
export function predictions(graph: GraphBuilder, logits: Output): Output {
  const int32 = attribute.type(DataType.int32);
  return graph.float('ArgMax', [logits, graph.integer(1)], { Tidx: int32, output_type: int32 });
}

/** Samples whose class is predicted, summed; 0 where there are no classes. */
export function rightPredictions(
  graph: GraphBuilder,
  { task, soft = false }: Head,
  output: Output,
  labels: Output,
): Output {
  if (task === 'regression') return graph.scalar(0);
  const int32 = attribute.type(DataType.int32);
  const right = graph.add('Equal', [predictions(graph, output), soft ? predictions(graph, labels) : labels], {
    T: int32,
  });
  const cast = { SrcT: attribute.type(DataType.bool), DstT: attribute.type(DataType.float32) };
  return graph.sum(graph.add('Cast', [right], cast), [0]);
}
