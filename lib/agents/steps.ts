import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { z } from 'zod';
import type { TranscriptEntry } from '../../contracts/agent-task.ts';
import type { AgentStore } from '../clients/index.ts';

export interface StepWork<T> {
  readonly task: string;
  /** Name inside the task. */
  readonly step: string;
  /** JSON that decides what the step does: a stored result belongs to exactly this. */
  readonly input: unknown;
  readonly result: z.ZodType<T>;
  readonly work: () => Promise<{ readonly result: T; readonly entries: readonly TranscriptEntry[] }>;
}

/**
 * Does a step once: what it came to is stored before it is returned, and found by every later attempt, also after its
 * worker was killed. Of two attempts at the same time the first to store counts, for both.
 * @throws DatabaseError; the parser's error when what is stored is no result of this step; what `work` throws
 */
export async function once<T>(store: Pick<AgentStore, 'find' | 'keep'>, step: StepWork<T>): Promise<T> {
  const key = { task: step.task, step: step.step, inputSha256: digestOf(step.input) };
  const found = await store.find(key);
  if (found !== undefined) return step.result.parse(found.result);
  return step.result.parse(await store.keep(key, await step.work()));
}

/** SHA-256 of the canonical JSON (RFC 8785), hexadecimal. */
export function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');
}
