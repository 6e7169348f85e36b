import type { ModelCard } from '../../../contracts/import-model.ts';

/** How a card says that a graph is fed and read. The wrapper does the same inside the graph; here it is done outside. */
export interface Conventions {
  /** Of one raw sample, channels last. */
  readonly shape: readonly number[];
  readonly input: ModelCard['input'];
  readonly kind: ModelCard['output']['kind'];
  /** Column of each class, where the graph has another order. */
  readonly columns: readonly number[] | undefined;
}

/** Raw samples, scaled and in the order of axes that the graph takes; float32 at every step, as the wrapper. */
export function arranged(raw: Float32Array, { shape, input }: Pick<Conventions, 'shape' | 'input'>): Float32Array {
  const channels = shape.at(-1) ?? 1;
  const scaled = raw.map((value, i) => {
    const factor = Math.fround(input.scale[input.scale.length === 1 ? 0 : i % channels] ?? 1);
    const shift = Math.fround(input.offset[input.offset.length === 1 ? 0 : i % channels] ?? 0);
    return Math.fround(value * factor) + shift;
  });
  if (input.layout !== 'channels-first' || channels === 1) return scaled;
  const size = shape.reduce((product, length) => product * length, 1);
  const area = size / channels;
  return Float32Array.from(scaled, (_, i) => {
    const [sample, place] = [Math.floor(i / size), i % size];
    const [channel, at] = [Math.floor(place / area), place % area];
    return scaled[sample * size + at * channels + channel] as number;
  });
}

/** Probabilities in the data set's order of classes; quantities as they are. */
export function answersOf(
  scores: ArrayLike<number>,
  { kind, columns, classes }: Pick<Conventions, 'kind' | 'columns'> & { readonly classes: number },
): Float32Array {
  if (kind === 'quantity') return Float32Array.from(scores);
  const result = new Float32Array(scores.length);
  for (let start = 0; start < scores.length; start += classes) {
    const row = Array.from(
      { length: classes },
      (_, index) => scores[start + (columns?.[index] ?? index)] ?? Number.NaN,
    );
    const most = Math.max(...row);
    const powers = kind === 'logits' ? row.map((value) => Math.exp(value - most)) : row;
    const sum = kind === 'logits' ? powers.reduce((total, value) => total + value, 0) : 1;
    result.set(
      powers.map((value) => value / sum),
      start,
    );
  }
  return result;
}
