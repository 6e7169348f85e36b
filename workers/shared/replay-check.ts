import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { ReplayHistoriesIterable, ReplayWorkerOptions } from '@temporalio/worker';
import { SaipError } from '../../contracts/errors.ts';

/** Histories read ahead of the replay. */
const READ_AHEAD = 4;
/** Names in one message. */
const NAMED = 10;

export interface ReplayCheckOptions {
  readonly client: Client;
  readonly taskQueue: string;
  readonly replay: ReplayWorkerOptions;
}

/**
 * Replays every open workflow of the queue against this build, so that a change that old runs do not survive is found
 * before the worker touches them.
 * @returns how many were replayed
 * @throws SaipError `WORKFLOW_REPLAY_FAILED`, naming the workflows and what differs
 */
export async function replayOpenWorkflows({ client, taskQueue, replay }: ReplayCheckOptions): Promise<number> {
  const open = client.workflow.list({ query: `ExecutionStatus = "Running" AND TaskQueue = "${taskQueue}"` });
  const histories = started(open.intoHistories({ concurrency: READ_AHEAD }));
  const first = await histories.next();
  if (first.done) return 0;
  const problems: string[] = [];
  let count = 0;
  for await (const { workflowId, runId, error } of Worker.runReplayHistories(replay, concat(first.value, histories))) {
    count += 1;
    if (error !== undefined) problems.push(`${workflowId} (run ${runId}): ${firstLine(error)}`);
  }
  if (problems.length > 0) throw refused(problems, count);
  return count;
}

type Item = ReplayHistoriesIterable extends AsyncIterable<infer T> | Iterable<infer T> ? T : never;

async function* started(all: AsyncIterable<Item>): AsyncGenerator<Item> {
  for await (const item of all) if (hasRun(item)) yield item;
}

/** A workflow whose first task nobody has completed yet has no past to disagree with. */
function hasRun({ history }: Item): boolean {
  const { events } = history as { events?: { workflowTaskCompletedEventAttributes?: unknown }[] };
  return events?.some((event) => event.workflowTaskCompletedEventAttributes != null) ?? false;
}

async function* concat(first: Item, rest: AsyncIterable<Item>): AsyncGenerator<Item> {
  yield first;
  yield* rest;
}

function firstLine(error: Error): string {
  return error.message.split('\n')[0] ?? error.name;
}

function refused(problems: readonly string[], count: number): SaipError {
  const named = problems.slice(0, NAMED).join('; ');
  const more = problems.length > NAMED ? `; and ${problems.length - NAMED} more` : '';
  return new SaipError(
    'WORKFLOW_REPLAY_FAILED',
    `This build cannot go on with ${problems.length} of ${count} open workflows: ${named}${more}`,
  );
}
