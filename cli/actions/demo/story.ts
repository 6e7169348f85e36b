import type { WorkflowDetail } from '../../../contracts/api.ts';
import type { AgentTaskResult } from '../../../contracts/agent-task.ts';
import type { AttackResult } from '../../../contracts/attack-retest.ts';
import type { ReleaseResult } from '../../../contracts/sign-and-release.ts';
import { metricsOf } from '../../../contracts/train-register-deploy.ts';
import type { MetricInterval, TrainResult } from '../../../contracts/train-register-deploy.ts';
import { writeLine } from '../../io.ts';
import { colorsOf } from '../../render/colors.ts';
import { renderPairs } from '../../render/table.ts';
import { formatDuration } from '../../render/time.ts';
import type { StageOptions } from './stage.ts';

export type Chapter = { readonly detail: WorkflowDetail } & (
  | { readonly kind: 'trained'; readonly result: TrainResult }
  | { readonly kind: 'attacked'; readonly result: AttackResult }
  | { readonly kind: 'released'; readonly result: ReleaseResult }
  | { readonly kind: 'served'; readonly version: string }
  | { readonly kind: 'asked'; readonly question: string; readonly result: AgentTaskResult }
);

/** What happened, one paragraph a workflow, each with its time and the page where it can be read whole. */
export function tellStory({ io, api }: StageOptions, chapters: readonly Chapter[]): void {
  const colors = colorsOf(io);
  writeLine(io.stdout, `\n${colors.bold('What happened')}`);
  for (const chapter of chapters) {
    const { links, startedAt, closedAt } = chapter.detail;
    const took = closedAt === undefined ? '' : formatDuration(Date.parse(closedAt) - Date.parse(startedAt));
    writeLine(io.stdout, `\n${colors.bold(chapter.kind)}  ${took}`);
    for (const sentence of sentences(chapter)) writeLine(io.stdout, `  ${sentence}`);
    if (links.temporal !== undefined) writeLine(io.stdout, `  ${links.temporal}`);
  }
  const { stack } = api.connection;
  writeLine(io.stdout, `\n${colors.bold('Look at it')}`);
  const pages = [
    ['Temporal UI', stack?.temporalUi],
    ['MLflow UI', stack?.mlflow],
    ['API docs', stack?.docs],
  ] as const;
  writeLine(io.stdout, renderPairs(pages));
}

function sentences(chapter: Chapter): string[] {
  switch (chapter.kind) {
    case 'trained':
      return trained(chapter.result);
    case 'attacked':
      return attacked(chapter.result);
    case 'released':
      return released(chapter.result);
    case 'served':
      return [`Version ${chapter.version} is the champion: the API verified its signature and answers with it.`];
    case 'asked':
      return asked(chapter.question, chapter.result);
  }
}

function trained({ evaluation, registered }: TrainResult): string[] {
  if (evaluation === undefined || registered === undefined) return [];
  const { model, version } = registered;
  const [{ name, title, interval }] = metricsOf(evaluation);
  const value = name === 'accuracy' ? percent(interval) : interval.value.toPrecision(4);
  return [`${model} version ${version} was trained: ${title} ${value} on the test set.`];
}

function attacked({ attacked: before, goal, hardened = [], robustVersion }: AttackResult): string[] {
  if (before === undefined) return [];
  const at = ({ measured }: Pick<typeof before, 'measured'>): MetricInterval | undefined =>
    measured.worst.find(({ epsilon }) => epsilon === goal.epsilon)?.accuracy;
  const { epsilon, minRobustAccuracy } = goal;
  return [
    `Under attack at L∞ ε = ${String(epsilon)} version ${before.version} kept ${percent(at(before))} of ${percent(before.measured.clean)}.`,
    ...hardened.flatMap((round) => [
      `Hardened, version ${round.version} keeps ${percent(at(round))}; on unchanged images it has ${percent(round.measured.clean)}.`,
      ...(round.stronger === undefined
        ? []
        : [`Under ${round.stronger.attack} it still keeps ${percent(round.stronger.accuracy)}.`]),
    ]),
    robustVersion === undefined
      ? `The goal of ${(minRobustAccuracy * 100).toFixed(0)} % was not reached.`
      : `Version ${robustVersion} reaches the goal of ${(minRobustAccuracy * 100).toFixed(0)} %.`,
  ];
}

function released({ model, version, approvedBy, release }: ReleaseResult): string[] {
  if (release === undefined) return [];
  return [
    `${model} version ${version} was released with ${String(release.files)} files, approved by ${approvedBy ?? 'nobody'}.`,
    `Its signature and provenance verify with public keys alone; digest ${release.digest.slice(0, 12)}.`,
  ];
}

function asked(question: string, { chatModel, answer, calls }: AgentTaskResult): string[] {
  const tools = calls.map(({ tool, decision }) => `${tool} (${decision})`).join(', ');
  return [
    `The agent was asked: ${question}`,
    `It called ${tools === '' ? 'no tool' : tools} and answered by the ${chatModel} model: ${answer ?? 'nothing'}`,
  ];
}

/** A share with its 95 % interval. */
function percent(interval: MetricInterval | undefined): string {
  if (interval === undefined) return 'an unknown share';
  const { value, low, high } = interval;
  return `${(value * 100).toFixed(1)} % [${(low * 100).toFixed(1)}, ${(high * 100).toFixed(1)}]`;
}
