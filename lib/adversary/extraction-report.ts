import { z } from 'zod';
import { Extraction, ExtractionBudget, ExtractionCurve } from '../../contracts/extraction.ts';
import { Name, Sha256 } from '../../contracts/reference.ts';
import type { MetricInterval } from '../../contracts/train-register-deploy.ts';

/** `report.json`: what was asked, what was measured, what follows. */
export const ExtractionReport = z.strictObject({
  version: z.literal(1),
  model: Name,
  modelVersion: z.string(),
  digest: Sha256,
  dataset: z.string(),
  workflowId: z.string(),
  requestedBy: z.string(),
  configSha256: Sha256,
  extraction: Extraction,
  curve: ExtractionCurve,
  budgets: z.array(ExtractionBudget),
});
export type ExtractionReport = z.infer<typeof ExtractionReport>;

/** `report.md`: the same for people. */
export function renderExtraction(report: ExtractionReport): string {
  const { model, modelVersion, dataset, extraction, curve, budgets } = report;
  const { training, seed, step } = extraction;
  return [
    `# What a copy of ${model} version ${modelVersion} costs`,
    '',
    ...budgets.map((budget) => `- ${verdict(budget)}`),
    '',
    `The thief trains \`${curve.substitute}\` (Adam, ${training.epochs} epochs and at least ${training.minSteps} steps of ` +
      `${training.batchSize}) on the answers. It has ${curve.ownSamples} samples of the test set of ${dataset} and asks about ` +
      `them first; further queries are made of those by Jacobian augmentation with steps of ${step} of the range. ` +
      `Fidelity and accuracy are measured on the other ${curve.evaluated} samples of the test set, which nobody was trained ` +
      `on; on these the model itself is right in ${percent(curve.modelAccuracy)}. Seed ${seed}. Brackets hold 95 % ` +
      'intervals (bootstrap).',
    '',
    ...table(
      ['answers', 'queries', 'of these made', 'fidelity', 'accuracy of the copy', 'seconds'],
      curve.points.map(({ answers, queries, made, fidelity, accuracy, seconds }) => [
        answers,
        String(queries),
        String(made),
        percent(fidelity),
        percent(accuracy),
        seconds.toFixed(1),
      ]),
    ),
    '',
    'A better thief needs fewer queries: the curve is a lower bound of what can be stolen, and a budget taken from it is ' +
      'no guarantee. It holds for one caller; callers who work together share out the queries.',
    '',
  ].join('\n');
}

function verdict({ answers, threshold, budgetRows, reached }: ExtractionBudget): string {
  const copy = `a copy (fidelity of ${(100 * threshold).toFixed(1)} % or more)`;
  if (budgetRows === undefined)
    return `Of **${answers}** the smallest measured number of queries already gives ${copy}.`;
  if (!reached) return `Of **${answers}** no measured number gives ${copy}; the largest is ${budgetRows}.`;
  return `Of **${answers}** up to **${budgetRows} queries** do not give ${copy}; the next measured number may.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function percent(interval: MetricInterval): string {
  const [value, low, high] = [interval.value, interval.low, interval.high].map((part) => (100 * part).toFixed(1));
  return `${value} % [${low}, ${high}]`;
}
