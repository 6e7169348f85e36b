import { WorkflowStarted } from '../../contracts/api.ts';
import { ApiClient } from '../client/index.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { reportStarted } from './started.ts';
import type { StartedOptions } from './started.ts';

/** `saip rollout`: brings a registered version to the alias `champion`. */
export async function rollout(io: Io, model: string, version: string, options: StartedOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const started = await api.post('/v1/workflows/rollout', { model, version }, WorkflowStarted, { role: 'trainer' });
  return reportStarted(io, api, started, options);
}

export interface RollbackOptions extends StartedOptions {
  /** Default: the champion before the present one. */
  readonly to?: string;
  readonly reason?: string;
}

/** `saip rollback`: brings a former champion back. */
export async function rollback(io: Io, model: string, options: RollbackOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const body = { model, toVersion: options.to, reason: options.reason };
  const started = await api.post('/v1/workflows/rollback', body, WorkflowStarted, { role: 'trainer' });
  return reportStarted(io, api, started, options);
}
