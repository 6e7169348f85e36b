import type { ClassPrediction, QuantityPrediction } from '../../contracts/predict.ts';
import type { TableFacts } from '../../contracts/registry.ts';

/** Outputs of a table's graph: `probabilities` [records, classes] and `label` [records], or `prediction` [records, 1]. */
export type TableOutputs = Readonly<Record<string, { readonly data: unknown } | undefined>>;

export type Predictions = ClassPrediction[] | QuantityPrediction[];

/** What the outputs of a classifier, or of a regression, say of each record. */
export function predictionsOf(
  { target, labels }: Pick<TableFacts, 'target' | 'labels'>,
  outputs: TableOutputs,
): Predictions {
  return target === undefined ? classes(labels, outputs) : quantities(outputs);
}

function classes(names: readonly string[], outputs: TableOutputs): ClassPrediction[] {
  const probabilities = Array.from(outputs['probabilities']?.data as Float32Array);
  return Array.from(outputs['label']?.data as BigInt64Array, (label, row) => {
    const own = probabilities.slice(row * names.length, (row + 1) * names.length);
    return {
      label: names[Number(label)] ?? '',
      probability: own[Number(label)] ?? 0,
      probabilities: Object.fromEntries(names.map((name, index) => [name, own[index] ?? 0])),
    };
  });
}

function quantities(outputs: TableOutputs): QuantityPrediction[] {
  return Array.from(outputs['prediction']?.data as Float32Array, (value) => ({ value }));
}

/** How many predictions, and the first of them. */
export function summaryOf(predictions: Predictions): string {
  const [first] = predictions;
  return first === undefined ? '0 predictions' : `${predictions.length} predictions, the first ${spoken(first)}`;
}

/** A prediction in a few characters. */
export function spoken(prediction: Predictions[number] | undefined): string {
  if (prediction === undefined) return '';
  if ('label' in prediction) return `${prediction.label} ${prediction.probability.toPrecision(4)}`;
  return prediction.value.toPrecision(6);
}
