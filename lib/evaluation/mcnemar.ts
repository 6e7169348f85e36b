export interface McNemarResult {
  /** Samples that only the first classifier gets right. */
  readonly onlyFirst: number;
  /** Samples that only the second classifier gets right. */
  readonly onlySecond: number;
  /** Probability of at least `onlyFirst` such samples if both were equally good. */
  readonly pValue: number;
}

/**
 * Exact one-sided McNemar test on paired predictions. Null hypothesis: the second classifier is not worse than the
 * first, so a sample on which they disagree is as likely right by either; the p-value is the upper tail of
 * Binomial(onlyFirst + onlySecond, 1/2) at `onlyFirst`. Small p-values say that the second is worse.
 *
 * @see McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12, 1947
 */
export function mcnemar(o: { labels: Int32Array; first: Int32Array; second: Int32Array }): McNemarResult {
  let onlyFirst = 0;
  let onlySecond = 0;
  for (const [i, label] of o.labels.entries()) {
    const firstRight = o.first[i] === label;
    const secondRight = o.second[i] === label;
    if (firstRight && !secondRight) onlyFirst += 1;
    if (secondRight && !firstRight) onlySecond += 1;
  }
  return { onlyFirst, onlySecond, pValue: upperTail(onlyFirst, onlyFirst + onlySecond) };
}

/** P(X >= k) for X ~ Binomial(n, 1/2), summed in logarithms from the far tail, where the terms are smallest. */
function upperTail(k: number, n: number): number {
  if (k === 0) return 1;
  let logTerm = -n * Math.LN2;
  let sum = Math.exp(logTerm);
  for (let i = n; i > k; i--) {
    logTerm += Math.log(i) - Math.log(n - i + 1);
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}
