import { z } from 'zod';
import { IdempotencyKey, WorkflowStarted } from '../../contracts/api.ts';

/** What every route that starts a workflow takes beside its body, and answers. */
export const startHeaders = z.object({ 'idempotency-key': IdempotencyKey.optional() });

export const started = {
  status: 202 as const,
  description: 'The workflow was started, or was started before by a request with the same key and body.',
  schema: WorkflowStarted,
  headers: { Location: 'Path of the workflow.' },
};
