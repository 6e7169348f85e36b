import type { Batch, Evaluation, Oracle } from '../../lib/adversary/index.ts';
import { RandomStream } from '../../lib/ml/random.ts';

/** A softmax regression, whose gradients are known in closed form: logits = W·x + b. */
export interface LinearModel {
  readonly size: number;
  readonly classes: number;
  /** [classes, size] row-major. */
  readonly weights: readonly number[];
  readonly bias: readonly number[];
}

export function linearModel(seed: number, size: number, classes: number): LinearModel {
  const stream = new RandomStream('linear', seed);
  const number = (): number => 2 * stream.uniform() - 1;
  return {
    size,
    classes,
    weights: Array.from({ length: size * classes }, number),
    bias: Array.from({ length: classes }, number),
  };
}

function probabilities({ size, classes, weights, bias }: LinearModel, x: readonly number[]): number[] {
  const logits = bias.map((b, c) => b + x.reduce((sum, value, i) => sum + value * (weights[c * size + i] ?? 0), 0));
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total).slice(0, classes);
}

/** ∇x J = Wᵀ(p − y), written out from the definition of softmax cross-entropy. */
export function gradientOf(model: LinearModel, x: readonly number[], label: number): number[] {
  const p = probabilities(model, x);
  return Array.from({ length: model.size }, (_, i) =>
    p.reduce((sum, share, c) => sum + (share - (c === label ? 1 : 0)) * (model.weights[c * model.size + i] ?? 0), 0),
  );
}

export function lossOf(model: LinearModel, x: readonly number[], label: number): number {
  return -Math.log(probabilities(model, x)[label] ?? Number.NaN);
}

export function predictionOf(model: LinearModel, x: readonly number[]): number {
  const p = probabilities(model, x);
  return p.indexOf(Math.max(...p));
}

export function rowsOf(x: Float32Array, size: number): number[][] {
  return Array.from({ length: x.length / size }, (_, row) => [...x.subarray(row * size, (row + 1) * size)]);
}

export function oracleOf(model: LinearModel, labels: Int32Array): Oracle {
  return (x): Evaluation => {
    const rows = rowsOf(x, model.size);
    const label = (row: number): number => labels[row] as number;
    return {
      gradient: Float32Array.from(rows.flatMap((values, row) => gradientOf(model, values, label(row)))),
      loss: Float32Array.from(rows, (values, row) => lossOf(model, values, label(row))),
      predicted: Int32Array.from(rows, (values) => predictionOf(model, values)),
    };
  };
}

export interface LinearCase {
  readonly model: LinearModel;
  readonly batch: Batch;
  readonly oracle: Oracle;
}

/** Grey values of 0…255 scaled into the model's weights, so that ε is a share of that range. */
export async function linearCase(
  seed: number,
  options: { readonly samples: number; readonly size: number; readonly ids?: readonly number[] },
): Promise<LinearCase> {
  const { samples, size } = options;
  const classes = 3;
  const scaled = linearModel(seed, size, classes);
  const model = { ...scaled, weights: scaled.weights.map((weight) => weight / 40) };
  const ids = options.ids ?? Array.from({ length: samples }, (_, row) => row);
  const valuesOf = (id: number): number[] => {
    const stream = new RandomStream('sample', seed, id);
    return Array.from({ length: size }, () => stream.below(256));
  };
  const x = Float32Array.from(ids.flatMap(valuesOf));
  const labels = Int32Array.from(ids, (id) => new RandomStream('label', seed, id).below(classes));
  const oracle = oracleOf(model, labels);
  return {
    model,
    oracle,
    batch: {
      x,
      labels,
      size,
      range: { low: 0, high: 255 },
      clean: await oracle(x),
      uniform: (row, restart) => {
        const stream = new RandomStream('attack', seed, ids[row] as number, restart);
        return () => stream.uniform();
      },
    },
  };
}
