import type { Colors } from '../render/colors.ts';
import { formatDuration } from '../render/time.ts';
import { attackNote, stageElapsed, stageMark, trainingNote } from './stage-line.ts';
import type { FollowState } from './state.ts';

export interface ChangeOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly colors: Colors;
}

/** A log gets a line of training whenever this many percent are new. */
const TRAINING_STEP_PERCENT = 10;

/** What is new between two states, a line each: the view for pipes and logs, where nothing can be repainted. */
export function changeLines(before: FollowState | undefined, after: FollowState, options: ChangeOptions): string[] {
  return [
    ...connectionLines(before, after),
    ...stageChanges(before, after, options),
    ...trainingLines(before, after),
    ...attackLines(before, after),
    ...searchLines(before, after),
    ...retryLines(before, after),
    ...approvalLines(before, after),
  ];
}

function connectionLines(before: FollowState | undefined, after: FollowState): string[] {
  if (after.lost !== undefined && after.lost !== before?.lost) {
    const { reason, attempt, delayMs } = after.lost;
    return [`connection lost (${reason}); attempt ${String(attempt)} in ${formatDuration(delayMs)}`];
  }
  return before?.lost !== undefined && after.lost === undefined ? ['connection restored'] : [];
}

function stageChanges(before: FollowState | undefined, after: FollowState, { now, colors }: ChangeOptions): string[] {
  const known = new Map(before?.progress?.stages.map((stage) => [stage.name, stage.status]));
  return (after.progress?.stages ?? [])
    .filter(({ name, status }) => status !== (known.get(name) ?? 'pending'))
    .map((stage) => {
      const elapsed = stage.endedAt === undefined ? undefined : stageElapsed(stage, now);
      const time = elapsed === undefined ? '' : ` ${formatDuration(elapsed)}`;
      const note = stage.detail === undefined ? '' : `  ${stage.detail}`;
      return `${stageMark(stage.status, colors)} ${stage.name} ${stage.status}${time}${note}`;
    });
}

function trainingLines(before: FollowState | undefined, after: FollowState): string[] {
  const training = after.progress?.training;
  // The last heartbeat can outlive its stage for a moment.
  const trains = after.progress?.stages.some(({ name, status }) => name === 'train' && status === 'running');
  if (training === undefined || trains !== true || trainingTenth(after) === trainingTenth(before)) return [];
  return [`  train ${trainingNote(training)}`];
}

function trainingTenth(state: FollowState | undefined): number {
  const training = state?.progress?.training;
  if (training === undefined || training.steps === 0) return -1;
  return Math.floor((training.step / training.steps) * (100 / TRAINING_STEP_PERCENT));
}

/** A line whenever a shard comes to another attack. */
function attackLines(before: FollowState | undefined, after: FollowState): string[] {
  const known = new Map(before?.progress?.attacks?.map(({ shard, attack }) => [shard, attack]));
  return (after.progress?.attacks ?? [])
    .filter(({ shard, attack }) => known.get(shard) !== attack)
    .map((attack) => `  ${after.progress?.stage ?? ''} ${attackNote(attack)}`);
}

/** A line whenever another trial of a search begins or ends: those in flight, and the best so far. */
function searchLines(before: FollowState | undefined, after: FollowState): string[] {
  const find = (state: FollowState | undefined): { status?: string; detail?: string } =>
    state?.progress?.stages.find(({ name }) => name === 'search') ?? {};
  const [was, is] = [find(before), find(after)];
  if (is.status !== 'running' || was.status !== 'running' || is.detail === was.detail) return [];
  return is.detail === undefined ? [] : [`  ${is.detail}`];
}

function retryLines(before: FollowState | undefined, after: FollowState): string[] {
  const known = new Map(before?.progress?.activities.map(({ name, attempt }) => [name, attempt]));
  return (after.progress?.activities ?? [])
    .filter(({ name, attempt, lastFailure }) => lastFailure !== undefined && attempt > (known.get(name) ?? 1))
    .map(({ name, attempt, lastFailure }) => `! ${name}: attempt ${String(attempt)} after: ${lastFailure ?? ''}`);
}

function approvalLines(before: FollowState | undefined, after: FollowState): string[] {
  const approval = after.progress?.approval;
  if (approval === undefined || approval.subjectDigest === before?.progress?.approval?.subjectDigest) return [];
  return [
    `waits for approval until ${approval.deadline}: saip workflows approve ${after.workflowId} --digest ${approval.subjectDigest}`,
  ];
}
