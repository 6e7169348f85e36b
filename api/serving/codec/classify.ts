import type { TensorData } from '../tensors.ts';

/**
 * The best `classes` of each row as the classification extension writes them, `value:index` or `value:index:label`,
 * best first; equal scores by index. A row is the last axis.
 * @param labels of the classes, where there are as many as a row has scores
 * @returns BYTES; the tensor itself where it holds strings or has no axis of classes
 */
export function topClasses(tensor: TensorData, classes: number, labels: readonly string[] = []): TensorData {
  const { data, dims } = tensor;
  const width = dims.at(-1);
  if (!ArrayBuffer.isView(data) || width === undefined || width === 0) return tensor;
  const kept = Math.min(classes, width);
  const named = labels.length === width;
  const texts: string[] = [];
  for (let start = 0; start < data.length; start += width) {
    const row = Array.from(data.subarray(start, start + width), Number);
    const order = row.map((_, index) => index).sort((a, b) => ranked(row, b) - ranked(row, a) || a - b);
    for (const index of order.slice(0, kept)) {
      const text = `${String(data[start + index])}:${String(index)}`;
      texts.push(named ? `${text}:${labels[index] ?? ''}` : text);
    }
  }
  return { type: 'string', data: texts, dims: [...dims.slice(0, -1), kept] };
}

/** NaN is no score: it comes last. */
function ranked(row: readonly number[], index: number): number {
  const score = row[index] ?? Number.NaN;
  return Number.isNaN(score) ? -Number.MAX_VALUE : Math.min(Math.max(score, -Number.MAX_VALUE), Number.MAX_VALUE);
}
