import type { EvaluationSummary, GateResult, TrainGates } from '../../contracts/train-register-deploy.ts';
import { mcnemar } from './mcnemar.ts';

/** Risk of calling an equally good candidate worse than the champion. */
export const CHAMPION_ALPHA = 0.05;

interface Threshold {
  readonly gate: Exclude<keyof TrainGates, 'champion' | 'robustness'>;
  readonly metric: Exclude<keyof EvaluationSummary, 'samples'>;
  readonly title: string;
  readonly bound: 'least' | 'most';
}

const THRESHOLDS: readonly Threshold[] = [
  { gate: 'minAccuracy', metric: 'accuracy', title: 'accuracy', bound: 'least' },
  { gate: 'minMacroF1', metric: 'macroF1', title: 'macro F1', bound: 'least' },
  { gate: 'maxLogLoss', metric: 'logLoss', title: 'log loss', bound: 'most' },
  { gate: 'maxEce', metric: 'ece', title: 'expected calibration error', bound: 'most' },
];

/** One result for each threshold that is set; the point estimate decides, its interval is told. */
export function thresholdGates(summary: EvaluationSummary, gates: TrainGates): GateResult[] {
  return THRESHOLDS.flatMap(({ gate, metric, title, bound }) => {
    const limit = gates[gate];
    if (limit === undefined) return [];
    const { value, low, high } = summary[metric];
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

function round(value: number): string {
  return value.toFixed(4);
}
