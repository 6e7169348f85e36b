import type { CpuActivities, GpuActivities } from '../../../contracts/activities.ts';
import { ref } from './refs.ts';

export type KeptCurve = Parameters<CpuActivities['recordExtraction']>[0];

/** Activities of `measureExtraction`; `curves` gets what is kept. */
export function extractions(
  curves: KeptCurve[],
): Pick<GpuActivities, 'extractShard'> &
  Pick<CpuActivities, 'summariseExtraction' | 'reportExtraction' | 'recordExtraction'> {
  const interval = { value: 0.8, low: 0.78, high: 0.82 };
  return {
    extractShard: async ({ answers, extraction: { queries } }) => ({
      answers,
      points: queries.map((count) => ref(`${answers} ${count}`)),
    }),
    summariseExtraction: async ({ extraction: { queries, answers: kinds }, threshold }) => ({
      configSha256: ref('extraction').sha256,
      curve: {
        points: kinds.flatMap((answers) =>
          queries.map((count) => ({
            ...{ answers, queries: count, made: 0, fidelity: interval, accuracy: interval, seconds: 1 },
          })),
        ),
        ...{ evaluated: 5000, ownSamples: 5000, substitute: 'tiny', modelAccuracy: interval, deviceClass: 'cpu' },
      },
      budgets: kinds.map((answers) => ({ answers, threshold, budgetRows: queries.at(-1), reached: false })),
    }),
    reportExtraction: async () => ({
      report: { json: ref('report.json'), markdown: ref('report.md'), plot: ref('curve.png') },
      mlflow: { experimentId: '1', runId: 'extraction-run' },
    }),
    recordExtraction: async (record) => {
      curves.push(record);
    },
  };
}
