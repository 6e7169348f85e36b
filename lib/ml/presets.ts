import { readdirSync, readFileSync } from 'node:fs';
import type { z } from 'zod';
import type { ModelConfig } from '../../contracts/model-config.ts';
import { Preset, TrainingConfig } from '../../contracts/model-config.ts';
import { TrainGates, TrainInput } from '../../contracts/train-register-deploy.ts';
import type { TrainRequest } from '../../contracts/train-register-deploy.ts';
import { MlError } from './errors.ts';

const FOLDER = new URL('./presets/', import.meta.url);
const EXTENSION = '.json';

/** Names of the presets that ship with the platform, sorted. */
export function listPresets(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => file.slice(0, -EXTENSION.length))
    .sort();
}

/** @throws MlError PRESET_UNKNOWN */
export function loadPreset(name: string): Preset {
  const known = listPresets();
  if (!known.includes(name)) {
    throw new MlError('PRESET_UNKNOWN', `there is no preset "${name}"; known are ${known.join(', ')}`, {
      field: 'model',
    });
  }
  return Preset.parse(JSON.parse(readFileSync(new URL(`${name}${EXTENSION}`, FOLDER), 'utf8')));
}

/**
 * Resolves a request to the input of the workflow: a preset's name to its network, training and gates, then the
 * request's own training and gates over them.
 *
 * @throws MlError PRESET_UNKNOWN; REQUEST_INVALID with the field that a custom network lacks.
 */
export function resolveTrainInput(request: TrainRequest, requestedBy: string): TrainInput {
  const { model, dataset, registerAs, training, gates, ...rest } = request;
  const preset = typeof model === 'string' ? loadPreset(model) : undefined;
  const network = preset?.model ?? (model as ModelConfig);
  return checked(TrainInput, {
    ...rest,
    model: network,
    dataset: dataset ?? preset?.dataset,
    registerAs: registerAs ?? network.name,
    training: checked(TrainingConfig, { ...preset?.training, ...training }, 'training'),
    gates: checked(TrainGates, { ...preset?.gates, ...gates }, 'gates'),
    requestedBy,
  });
}

function checked<T>(schema: z.ZodType<T>, value: unknown, ...path: string[]): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = [...path, ...(issue?.path ?? [])].join('.');
  throw new MlError('REQUEST_INVALID', `${field}: ${issue?.message}`, { field, cause: result.error });
}
