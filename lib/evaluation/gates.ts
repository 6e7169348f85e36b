import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { EvaluationSummary, GateResult, NamedMetric, TrainGates } from '../../contracts/train-register-deploy.ts';
import { mcnemar } from './mcnemar.ts';
import { pairedPermutation } from './paired-permutation.ts';

/** Risk of calling an equally good candidate worse than the champion. */
export const CHAMPION_ALPHA = 0.05;

interface Threshold {
  readonly gate: Exclude<keyof TrainGates, 'champion' | 'robustness'>;
  readonly metric: NamedMetric['name'];
  readonly title: string;
  readonly bound: 'least' | 'most';
}

const THRESHOLDS: readonly Threshold[] = [
  { gate: 'minAccuracy', metric: 'accuracy', title: 'accuracy', bound: 'least' },
  { gate: 'minMacroF1', metric: 'macroF1', title: 'macro F1', bound: 'least' },
  { gate: 'maxLogLoss', metric: 'logLoss', title: 'log loss', bound: 'most' },
  { gate: 'maxEce', metric: 'ece', title: 'expected calibration error', bound: 'most' },
  { gate: 'maxRmse', metric: 'rmse', title: 'root mean squared error', bound: 'most' },
  { gate: 'minR2', metric: 'r2', title: 'R²', bound: 'least' },
];

/**
 * One result for each threshold that is set; the point estimate decides, its interval is told. A threshold of a metric
 * that the task does not have is not passed.
 */
export function thresholdGates(summary: EvaluationSummary, gates: TrainGates): GateResult[] {
  return THRESHOLDS.flatMap(({ gate, metric, title, bound }) => {
    const limit = gates[gate];
    if (limit === undefined) return [];
    const found = metricsOf(summary).find(({ name }) => name === metric);
    if (found === undefined) return [{ name: gate, passed: false, reason: `the task of the model has no ${title}` }];
    const { value, low, high } = found.interval;
    const passed = bound === 'least' ? value >= limit : value <= limit;
    const interval = `95 % interval ${round(low)} to ${round(high)}`;
    return [{ name: gate, passed, reason: `${title} ${round(value)} (${interval}), at ${bound} ${limit} asked` }];
  });
}

export interface ChampionComparison {
  readonly version: string;
  readonly labels: Int32Array;
  /** Predicted classes on the same samples. */
  readonly champion: Int32Array;
  readonly candidate: Int32Array;
}

/** Passes unless an exact one-sided McNemar test on the same test samples finds the candidate worse. */
export function championGate({ version, labels, champion, candidate }: ChampionComparison): GateResult {
  const { onlyFirst, onlySecond, pValue } = mcnemar({ labels, first: champion, second: candidate });
  const passed = pValue >= CHAMPION_ALPHA;
  const test =
    `exact one-sided McNemar test on the same ${labels.length} test samples: ${onlyFirst} right by the champion ` +
    `alone, ${onlySecond} by the candidate alone, p = ${pValue.toPrecision(3)}, alpha ${CHAMPION_ALPHA}`;
  return { name: 'champion', passed, reason: `${passed ? 'not worse' : 'worse'} than version ${version}: ${test}` };
}

/** Signs of the permutation test are drawn by one seed, so that a repetition decides alike. */
const PERMUTATION_SEED = 20_051;

export interface QuantityComparison {
  readonly version: string;
  readonly truths: Float32Array;
  /** Predicted quantities of the same samples. */
  readonly champion: Float32Array;
  readonly candidate: Float32Array;
}

/** Passes unless a one-sided paired permutation test on the same test samples finds the candidate's errors larger. */
export function quantityGate({ version, truths, champion, candidate }: QuantityComparison): GateResult {
  const { difference, pValue } = pairedPermutation({
    truths,
    first: champion,
    second: candidate,
    seed: PERMUTATION_SEED,
  });
  const passed = pValue >= CHAMPION_ALPHA;
  const test =
    `one-sided paired permutation test on the same ${truths.length} test samples: mean squared error ` +
    `${difference >= 0 ? '+' : ''}${difference.toPrecision(3)}, p = ${pValue.toPrecision(3)}, alpha ${CHAMPION_ALPHA}`;
  return { name: 'champion', passed, reason: `${passed ? 'not worse' : 'worse'} than version ${version}: ${test}` };
}

function round(value: number): string {
  return value.toFixed(4);
}
