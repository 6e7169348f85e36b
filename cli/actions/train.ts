import { PresetList, WorkflowStarted } from '../../contracts/api.ts';
import { ApiClient } from '../client/index.ts';
import type { ExitCode } from '../exit-codes.ts';
import { usageError } from '../errors.ts';
import type { Io } from '../io.ts';
import type { JsonObject } from './assignments.ts';
import { buildSearchRequest, refuseSearchOptions } from './search-request.ts';
import type { SearchOptions } from './search-request.ts';
import { reportStarted } from './started.ts';
import { buildTrainRequest } from './train-request.ts';
import type { TrainRequestOptions } from './train-request.ts';

export interface TrainOptions extends TrainRequestOptions, SearchOptions {
  readonly follow?: boolean;
  readonly idempotencyKey?: string;
  readonly json?: boolean;
}

/** `saip train`: starts `trainRegisterDeploy`, or a search with `--search`; with `--follow` shows it to its end. */
export async function train(io: Io, model: string, options: TrainOptions): Promise<ExitCode> {
  if (options.search !== true) refuseSearchOptions(options);
  const api = await ApiClient.open(io.env);
  const body = await buildTrainRequest(model, options, (preset) => presetTraining(api, preset));
  const key = options.idempotencyKey;
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  const send = { role: 'trainer', headers } as const;
  const started =
    options.search === true
      ? await api.post(
          '/v1/workflows/search-hyperparameters',
          await buildSearchRequest(body, options),
          WorkflowStarted,
          send,
        )
      : await api.post('/v1/workflows/train-register-deploy', body, WorkflowStarted, send);
  return reportStarted(io, api, started, options);
}

/** The training of a preset. @throws CliError `usage` for a preset that does not exist. */
export async function presetTraining(api: ApiClient, name: string): Promise<JsonObject> {
  const { presets } = await api.get('/v1/presets', PresetList, { role: 'viewer' });
  const preset = presets.find((candidate) => candidate.name === name);
  if (preset === undefined) throw usageError(`there is no preset ${name}`, 'saip models presets shows them.');
  return preset.training;
}
