import { z } from 'zod';
import { asksGraph, attackName, Measurement } from '../../contracts/adversary.ts';
import { AttackResult } from '../../contracts/attack-retest.ts';
import type { MeasuredVersion } from '../../contracts/attack-retest.ts';
import type { MetricInterval } from '../../contracts/train-register-deploy.ts';

/** `report.json`: what was asked, what was measured, what follows. */
export const AttackReport = z.strictObject({
  version: z.literal(1),
  model: AttackResult.shape.model,
  dataset: z.string(),
  workflowId: z.string(),
  requestedBy: z.string(),
  measurement: Measurement,
  goal: AttackResult.shape.goal,
  attacked: AttackResult.shape.attacked.unwrap(),
  baseline: AttackResult.shape.baseline,
  hardened: AttackResult.shape.hardened.unwrap(),
  robustVersion: AttackResult.shape.robustVersion,
  reasons: z.array(z.string()),
});
export type AttackReport = z.infer<typeof AttackReport>;

/** `report.md`: the same for people. */
export function renderReport(report: AttackReport): string {
  const { model, attacked, hardened, goal, measurement, dataset } = report;
  const versions = [attacked, ...hardened];
  return [
    `# ${model} under attack`,
    '',
    verdict(report),
    '',
    `${measurement.samples} samples of the test set of ${dataset}, drawn with seed ${measurement.seed}; attacks: ` +
      `${measurement.attacks.map(attackName).join(', ')}; L∞, ε as a share of the range of a value. ` +
      'Brackets hold 95 % intervals (Wilson).',
    '',
    '## Accuracy that remains',
    '',
    ...table(
      ['', ...versions.map(({ version }, index) => `version ${version}${index === 0 ? ' (attacked)' : ''}`)],
      [
        ['clean', ...versions.map(({ measured }) => percent(measured.clean))],
        ...attacked.measured.attacks.map(({ attack, epsilon }, row) => [
          `${attack}, ε = ${epsilon}`,
          ...versions.map(({ measured }) => percent(measured.attacks[row]?.accuracy)),
        ]),
        ...attacked.measured.worst.map(({ epsilon }, row) => [
          `**worst case, ε = ${epsilon}**`,
          ...versions.map(({ measured }) => percent(measured.worst[row]?.accuracy)),
        ]),
        ...(versions.some(({ stronger }) => stronger !== undefined)
          ? [[strongerName(versions), ...versions.map(({ stronger }) => percent(stronger?.accuracy))]]
          : []),
        [
          'served graph agrees',
          ...versions.map(({ measured: { served } }) => `${served.same} of ${served.examples} predictions`),
        ],
        [
          asksGraph(measurement) ? 'queries' : 'gradients',
          ...versions.map(({ measured }) => String(measured.gradients)),
        ],
        [
          'seconds on the device',
          ...versions.map(({ measured, stronger }) => (measured.seconds + (stronger?.seconds ?? 0)).toFixed(1)),
        ],
      ],
    ),
    '',
    ...hardened.flatMap(({ version, cleanChange, worstChange, trainingWorkflowId }) => [
      `- Version ${version} (training \`${trainingWorkflowId}\`): ${signed(worstChange)} points of worst-case accuracy ` +
        `at ε = ${goal.epsilon}, ${signed(cleanChange)} points of clean accuracy.`,
    ]),
    ...baselineLines(report),
    '',
    'An attack gives an upper bound: no accuracy above these numbers is safe to claim, and a stronger attack may find ' +
      'less. The examples hold for this norm and these ε alone.',
    '',
  ].join('\n');
}

function verdict({ goal, attacked, robustVersion, reasons }: AttackReport): string {
  const asked = `${(100 * goal.minRobustAccuracy).toFixed(1)} % at ε = ${goal.epsilon}`;
  if (robustVersion === attacked.version) return `Version ${robustVersion} holds out: at least ${asked} was asked for.`;
  if (robustVersion !== undefined) {
    return `Version ${attacked.version} does not hold out (${asked} was asked for); version ${robustVersion}, hardened, does.`;
  }
  return `No version holds out: ${asked} was asked for. ${reasons.join('; ')}`.trimEnd();
}

function strongerName(versions: readonly MeasuredVersion[]): string {
  const { stronger } = versions.find((version) => version.stronger !== undefined) ?? {};
  return `**${stronger?.attack}, ε = ${stronger?.epsilon}**`;
}

function baselineLines({ baseline }: AttackReport): string[] {
  if (baseline === undefined) return ['- First measurement of this configuration: it is the baseline of later ones.'];
  const { kind, version, measuredAt, worstChanges, cleanChange } = baseline;
  const what = kind === 'same-model' ? 'the same model' : `version ${version}`;
  const changes = worstChanges.map(({ epsilon, change }) => `${signed(change)} at ε = ${epsilon}`).join(', ');
  return [
    `- Against the stored result of ${what} (${measuredAt}): clean ${signed(cleanChange)} points, worst case ${changes}.`,
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function percent(interval: MetricInterval | undefined): string {
  if (interval === undefined) return '–';
  const [value, low, high] = [interval.value, interval.low, interval.high].map((share) => (100 * share).toFixed(1));
  return `${value} % [${low}, ${high}]`;
}

function signed(change: number): string {
  const points = (100 * change).toFixed(1);
  return change > 0 ? `+${points}` : points;
}
