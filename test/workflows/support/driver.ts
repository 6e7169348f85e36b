import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { AgentTaskInput, AgentTaskResult } from '../../../contracts/agent-task.ts';
import type { AttackInput, AttackResult } from '../../../contracts/attack-retest.ts';
import type { ExtractionInput, ExtractionResult } from '../../../contracts/extraction.ts';
import type { Progress } from '../../../contracts/progress.ts';
import type { RolloutInput, RolloutResult } from '../../../contracts/registry.ts';
import type { SearchInput, SearchResult } from '../../../contracts/search.ts';
import type { TrainInput, TrainResult } from '../../../contracts/train-register-deploy.ts';
import {
  agentTaskStart,
  attackStart,
  extractionStart,
  rolloutStart,
  rolloutWorkflowId,
  searchStart,
  trainingStart,
} from '../../../contracts/workflows.ts';

type Train = (input: TrainInput) => Promise<TrainResult>;
type Attack = (input: AttackInput) => Promise<AttackResult>;
type Rollout = (input: RolloutInput) => Promise<RolloutResult>;

export function startTraining(client: Client, input: TrainInput): Promise<WorkflowHandle<Train>> {
  const { workflowType, taskQueue, staticSummary, staticDetails, priority } = trainingStart(input);
  return client.workflow.start<Train>(workflowType, {
    workflowId: randomUUID(),
    taskQueue,
    staticSummary,
    staticDetails,
    priority,
    args: [input],
  });
}

export function startAttack(client: Client, input: AttackInput): Promise<WorkflowHandle<Attack>> {
  const { workflowType, taskQueue, priority } = attackStart(input);
  return client.workflow.start<Attack>(workflowType, {
    workflowId: randomUUID(),
    taskQueue,
    priority,
    args: [input],
  });
}

type Extract = (input: ExtractionInput) => Promise<ExtractionResult>;

export function startExtraction(client: Client, input: ExtractionInput): Promise<WorkflowHandle<Extract>> {
  const { workflowType, taskQueue, priority } = extractionStart(input);
  return client.workflow.start<Extract>(workflowType, {
    workflowId: randomUUID(),
    taskQueue,
    priority,
    args: [input],
  });
}

type SearchWorkflow = (input: SearchInput) => Promise<SearchResult>;

export function startSearch(client: Client, input: SearchInput): Promise<WorkflowHandle<SearchWorkflow>> {
  const { workflowType, taskQueue, staticSummary, staticDetails, priority } = searchStart(input);
  return client.workflow.start<SearchWorkflow>(workflowType, {
    workflowId: randomUUID(),
    taskQueue,
    staticSummary,
    staticDetails,
    priority,
    args: [input],
  });
}

export function startRollout(client: Client, input: RolloutInput): Promise<WorkflowHandle<Rollout>> {
  const { workflowType, taskQueue } = rolloutStart(input);
  return client.workflow.start<Rollout>(workflowType, {
    workflowId: rolloutWorkflowId(input.model),
    taskQueue,
    args: [input],
  });
}

type Ask = (input: AgentTaskInput) => Promise<AgentTaskResult>;

export function startAgentTask(client: Client, input: AgentTaskInput): Promise<WorkflowHandle<Ask>> {
  const { workflowType, taskQueue, staticSummary, staticDetails, priority } = agentTaskStart(input);
  return client.workflow.start<Ask>(workflowType, {
    workflowId: randomUUID(),
    taskQueue,
    staticSummary,
    staticDetails,
    priority,
    args: [input],
  });
}

export function progressOf(handle: WorkflowHandle): Promise<Progress> {
  return handle.query<Progress>('progress');
}

/** Asks until the run is where the test wants it. */
export async function untilProgress(
  handle: WorkflowHandle,
  reached: (progress: Progress) => boolean,
): Promise<Progress> {
  for (;;) {
    const progress = await progressOf(handle);
    if (reached(progress)) return progress;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The failure type (a code of the platform) that an update or workflow ended with. */
export async function failureType(promise: Promise<unknown>): Promise<string | undefined | null> {
  try {
    await promise;
  } catch (error) {
    const wrapped = error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError;
    const cause = wrapped ? error.cause : error;
    return cause instanceof ApplicationFailure ? cause.type : String(cause);
  }
  return undefined;
}

/** An activity that runs until it is cancelled. `reached` resolves when it has begun. */
export function blocking(): { readonly reached: Promise<void>; readonly activity: () => Promise<never> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    reached: promise,
    activity: async () => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 20);
      resolve();
      try {
        return await context.cancelled;
      } finally {
        clearInterval(beat);
      }
    },
  };
}
