import type { InferResponse } from '../../contracts/inference.ts';

export interface ClassPrediction {
  readonly label: number;
  /** Probability of `label`, 0..1. */
  readonly confidence: number;
}

/** The class and its probability for every sample of a classifier's answer; none for any other model. */
export function readClasses({ outputs }: InferResponse): ClassPrediction[] {
  const labels = outputs.find(({ name }) => name === 'label')?.data;
  const probabilities = outputs.find(({ name }) => name === 'probabilities');
  const classes = probabilities?.shape.at(-1);
  if (labels === undefined || probabilities === undefined || classes === undefined) return [];
  return labels.map((value, row) => {
    const label = Number(value);
    return { label, confidence: Number(probabilities.data[row * classes + label] ?? 0) };
  });
}
