import { defaultPayloadConverter, type WorkflowExecutionDescription } from '@temporalio/client';
import { z } from 'zod';
import type { LiveProgress, PendingActivity, WorkflowDetail, WorkflowEvent } from '../../contracts/api.ts';
import { ScoreResult } from '../../contracts/batch-score.ts';
import { AttackResult } from '../../contracts/attack-retest.ts';
import { ExtractionResult } from '../../contracts/extraction.ts';
import { AttackHeartbeat, Progress, TrainingHeartbeat } from '../../contracts/progress.ts';
import { AgentTaskResult } from '../../contracts/agent-task.ts';
import { RolloutResult } from '../../contracts/registry.ts';
import { SearchResult } from '../../contracts/search.ts';
import { TrialResult } from '../../contracts/trial.ts';
import { ImportResult } from '../../contracts/import-model.ts';
import { ReleaseResult } from '../../contracts/sign-and-release.ts';
import { TrainResult } from '../../contracts/train-register-deploy.ts';
import { WORKFLOW_MESSAGES } from '../../contracts/workflows.ts';
import type { Payload } from '../../lib/codec/index.ts';
import { describeExecution, isoTime, summarize } from './executions.ts';
import { fromFailure, isErrorCode } from './failures.ts';
import type { TemporalGateway } from './gateway.ts';

/** A worker that has not answered a query by then is not there. */
const QUERY_DEADLINE_MS = 5_000;

/** What `encodeCommonAttributes` of Temporal's failure converter moves into an encrypted payload. */
const FailureAttributes = z.object({ message: z.string() });

/** What each type of workflow ends with; a training is the ordinary case. */
const RESULTS: Readonly<Partial<Record<string, z.ZodType<WorkflowDetail['result']>>>> = {
  rolloutModel: RolloutResult,
  attackRetest: AttackResult,
  measureExtraction: ExtractionResult,
  signAndRelease: ReleaseResult,
  agentTask: AgentTaskResult,
  searchHyperparameters: SearchResult,
  runTrial: TrialResult,
  importModel: ImportResult,
  batchScore: ScoreResult,
};

type RawPending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];
type Failure = NonNullable<RawPending['lastFailure']>;

/** What an execution does at this moment: the body of an SSE event. */
export async function readEvent(gateway: TemporalGateway, workflowId: string): Promise<WorkflowEvent> {
  return snapshot(gateway, await describeExecution(gateway, workflowId));
}

/** Everything about an execution, with its result or failure once it has ended. */
export async function readDetail(gateway: TemporalGateway, workflowId: string): Promise<WorkflowDetail> {
  const description = await describeExecution(gateway, workflowId);
  const summary = summarize(description.raw.workflowExecutionInfo ?? {}, gateway);
  const { progress, progressUnavailable } = await snapshot(gateway, description);
  return { ...summary, progress, progressUnavailable, ...(await readEnd(gateway, description)) };
}

async function snapshot(gateway: TemporalGateway, description: WorkflowExecutionDescription): Promise<WorkflowEvent> {
  const { workflowId, runId, raw } = description;
  const { status } = summarize(raw.workflowExecutionInfo ?? {}, gateway);
  const event = { workflowId, runId, status };
  try {
    const answer: unknown = await gateway.call(
      { kind: 'workflow', id: workflowId },
      () => gateway.client.workflow.getHandle(workflowId, runId).query(WORKFLOW_MESSAGES.progress),
      QUERY_DEADLINE_MS,
    );
    return { ...event, progress: await merge(gateway, Progress.parse(answer), raw.pendingActivities ?? []) };
  } catch {
    return { ...event, progressUnavailable: 'No worker answers; the workflow goes on when one polls again.' };
  }
}

/**
 * Adds what only the pending activities know. While a training runs, `percent` moves within the share of its stage,
 * `eta` and the metrics are those of its last heartbeat.
 */
async function merge(
  gateway: TemporalGateway,
  progress: Progress,
  pending: readonly RawPending[],
): Promise<LiveProgress> {
  const activities = await Promise.all(pending.map((raw) => pendingActivity(gateway, raw)));
  const heartbeats = await heartbeatsOf(gateway, pending);
  const [training] = parsedBy(TrainingHeartbeat, heartbeats);
  if (!training) return mergeAttacks(progress, parsedBy(AttackHeartbeat, heartbeats), activities);
  const share = progress.stages.find(({ name }) => name === progress.stage)?.share ?? 0;
  const done = training.steps > 0 ? training.step / training.steps : 0;
  return {
    ...progress,
    percent: Math.min(100, progress.percent + share * done),
    eta: training.eta,
    metrics: { ...progress.metrics, loss: training.loss, throughput: training.throughput },
    training,
    activities,
  };
}

/** Shards are equal parts of their stage; `eta` is that of the slowest one that runs. */
function mergeAttacks(
  progress: Progress,
  attacks: readonly AttackHeartbeat[],
  activities: PendingActivity[],
): LiveProgress {
  if (attacks.length === 0) return { ...progress, activities };
  const share = progress.stages.find(({ name }) => name === progress.stage)?.share ?? 0;
  const running = attacks.reduce((total, { done, shards }) => total + done / shards, 0);
  const throughput = attacks.reduce((total, attack) => total + attack.throughput, 0);
  return {
    ...progress,
    percent: Math.min(100, progress.percent + share * running),
    eta: Math.max(...attacks.map(({ eta }) => eta)),
    metrics: { ...progress.metrics, throughput },
    attacks: [...attacks],
    activities,
  };
}

/** Details of the last heartbeat of each activity that sent one. */
async function heartbeatsOf(gateway: TemporalGateway, pending: readonly RawPending[]): Promise<unknown[]> {
  const details: unknown[] = [];
  for (const { heartbeatDetails } of pending) {
    const payloads: Payload[] = heartbeatDetails?.payloads ?? [];
    if (payloads.length === 0) continue;
    const [first] = await gateway.codec.decode(payloads);
    if (first) details.push(defaultPayloadConverter.fromPayload(first));
  }
  return details;
}

function parsedBy<T>(schema: z.ZodType<T>, values: readonly unknown[]): T[] {
  return values.flatMap((value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  });
}

async function pendingActivity(gateway: TemporalGateway, raw: RawPending): Promise<PendingActivity> {
  return {
    name: raw.activityType?.name ?? '',
    attempt: raw.attempt ?? 1,
    startedAt: isoTime(raw.lastStartedTime),
    lastHeartbeatAt: isoTime(raw.lastHeartbeatTime),
    lastFailure: await failureText(gateway, raw.lastFailure),
    nextAttemptAt: isoTime(raw.nextAttemptScheduleTime),
  };
}

/** Workers encrypt the message of a failure; its type, a code of the platform, is clear. */
async function failureText(gateway: TemporalGateway, failure: Failure | null | undefined): Promise<string | undefined> {
  if (!failure) return undefined;
  const type = failure.applicationFailureInfo?.type;
  const message = (await encryptedMessage(gateway, failure)) ?? failure.message ?? 'failed';
  return isErrorCode(type) ? `${type}: ${message}` : message;
}

async function encryptedMessage(gateway: TemporalGateway, failure: Failure): Promise<string | undefined> {
  if (!failure.encodedAttributes) return undefined;
  const [attributes] = await gateway.codec.decode([failure.encodedAttributes]);
  const parsed = attributes && FailureAttributes.safeParse(defaultPayloadConverter.fromPayload(attributes));
  return parsed?.data?.message;
}

async function readEnd(
  gateway: TemporalGateway,
  description: WorkflowExecutionDescription,
): Promise<Pick<WorkflowDetail, 'result' | 'failure'>> {
  const { workflowId, runId, type, status } = description;
  if (status.name === 'RUNNING' || status.name === 'PAUSED') return {};
  try {
    const result: unknown = await gateway.call({ kind: 'workflow', id: workflowId }, () =>
      gateway.client.workflow.getHandle(workflowId, runId).result(),
    );
    return { result: (RESULTS[type] ?? TrainResult).parse(result) };
  } catch (error) {
    const known = error instanceof Error ? fromFailure(error) : undefined;
    if (known) return { failure: { message: known.message, code: known.code, hint: known.spec.hint } };
    return { failure: { message: lastMessage(error) } };
  }
}

function lastMessage(error: unknown): string {
  let message = 'The workflow failed.';
  for (let at = error; at instanceof Error; at = at.cause) message = at.message;
  return message;
}
