/** `fixtures/reference.json`, written by `fixtures/generate.py`. */
export interface Reference {
  readonly classes: number;
  readonly labels: number[];
  readonly logits: number[][];
  readonly accuracy: number;
  /** Percentile bootstrap of SciPy, 20,000 resamples. */
  readonly accuracyInterval: [number, number];
  readonly macroF1: number;
  readonly logLoss: number;
  readonly ece: number;
  readonly precision: number[];
  readonly recall: number[];
  readonly f1: number[];
  readonly support: number[];
  readonly confusion: number[][];
  readonly mcnemar: { onlyFirst: number; onlySecond: number; pValue: number }[];
}
