import cliProgress from 'cli-progress';
import type { LiveProgress } from '../../contracts/api.ts';
import type { AttackHeartbeat, StageProgress } from '../../contracts/progress.ts';
import type { Colors } from '../render/colors.ts';
import { formatDuration } from '../render/time.ts';
import type { FollowState } from './state.ts';
import { attackNote, stageElapsed, stageMark, stageNote, trainingNote } from './stage-line.ts';

export interface FrameOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly columns: number;
  readonly colors: Colors;
}

const BAR = { barCompleteString: '█'.repeat(60), barIncompleteString: '░'.repeat(60), barGlue: '' };
const MAX_BAR = 40;
/** Room for the percentage and the time left behind the bar. */
const BAR_TAIL = 24;

/** One picture of a followed workflow, as lines that fit the terminal unless a detail is longer. */
export function renderFrame(state: FollowState, options: FrameOptions): string[] {
  const { colors, now } = options;
  const end = state.closedAt === undefined ? now : Date.parse(state.closedAt);
  const elapsed = formatDuration(end - Date.parse(state.startedAt));
  const lines = [`${colors.bold(state.type)}  ${state.workflowId}  ${colors.dim(elapsed)}`];
  if (state.progress === undefined) {
    lines.push(`  ${colors.dim(state.progressUnavailable ?? 'waiting for a worker')}`);
  } else {
    lines.push(...stageLines(state.progress, options), overallBar(state.progress, options));
    lines.push(...retryLines(state.progress, options), ...approvalLines(state, options));
  }
  if (state.lost !== undefined) {
    const { reason, delayMs, attempt } = state.lost;
    const again = `attempt ${String(attempt)} in ${formatDuration(delayMs)}`;
    lines.push(colors.yellow(`  connection lost (${reason}); ${again}. The workflow goes on.`));
  }
  return lines;
}

function stageLines(progress: LiveProgress, options: FrameOptions): string[] {
  const width = Math.max(...progress.stages.map(({ name }) => name.length), 0);
  return progress.stages.flatMap((stage) => {
    const line = stageLine(stage, width, options);
    if (stage.name === progress.stage && progress.attacks !== undefined) {
      return [line, ...attackLines(progress.attacks, options)];
    }
    const training = stage.name === 'train' && stage.status === 'running' ? progress.training : undefined;
    if (training === undefined) return [line];
    const share = training.steps === 0 ? 0 : training.step / training.steps;
    return [line, `    ${bar(share, options)}`, `    ${options.colors.dim(trainingNote(training))}`];
  });
}

function attackLines(attacks: readonly AttackHeartbeat[], options: FrameOptions): string[] {
  return attacks.flatMap((attack) => [
    `    ${bar(attack.done, options)}`,
    `    ${options.colors.dim(attackNote(attack))}`,
  ]);
}

function stageLine(stage: StageProgress, width: number, { now, colors }: FrameOptions): string {
  const elapsed = stageElapsed(stage, now);
  const time = (elapsed === undefined ? '' : formatDuration(elapsed)).padStart(7);
  const name = stage.name.padEnd(width);
  const shown = stage.status === 'pending' || stage.status === 'skipped' ? colors.dim(name) : name;
  return `  ${stageMark(stage.status, colors)} ${shown} ${time}  ${colors.dim(stageNote(stage))}`.trimEnd();
}

function overallBar(progress: LiveProgress, options: FrameOptions): string {
  const eta = progress.eta === undefined ? '' : `  ETA ${formatDuration(progress.eta * 1000)}`;
  return `  ${bar(progress.percent / 100, options)}${eta}`;
}

function bar(share: number, { columns, colors }: FrameOptions): string {
  const barsize = Math.max(10, Math.min(MAX_BAR, columns - BAR_TAIL));
  const drawn = cliProgress.Format.BarFormat(Math.min(1, Math.max(0, share)), { ...BAR, barsize });
  return `${colors.cyan(drawn)} ${String(Math.floor(share * 100)).padStart(3)} %`;
}

function retryLines(progress: LiveProgress, { colors }: FrameOptions): string[] {
  return progress.activities
    .filter(({ attempt, lastFailure }) => attempt > 1 && lastFailure !== undefined)
    .map(({ name, attempt, lastFailure }) =>
      colors.yellow(`  ${name}: attempt ${String(attempt)} after: ${lastFailure ?? ''}`),
    );
}

function approvalLines(state: FollowState, { colors }: FrameOptions): string[] {
  const approval = state.progress?.approval;
  if (approval === undefined) return [];
  return [
    colors.yellow(`  waits for approval until ${approval.deadline} (requested by ${approval.requestedBy})`),
    `  saip workflows approve ${state.workflowId} --digest ${approval.subjectDigest}`,
  ];
}
