import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { TrainRequest } from '../../contracts/train-register-deploy.ts';
import { usageError } from '../errors.ts';
import { assign, parseAssignment } from './assignments.ts';
import type { Assignment, JsonObject } from './assignments.ts';

/** Options of `saip train` and `saip schedule create` that shape the request. */
export interface TrainRequestOptions {
  readonly seed?: number;
  readonly epochs?: number;
  readonly dataset?: string;
  readonly set?: readonly string[];
  readonly registerAs?: string;
  readonly approval?: boolean;
  readonly waitOnFailure?: boolean;
  readonly rollout?: boolean;
  readonly cache?: boolean;
  readonly from?: string;
}

/** The request as its sender writes it: the server fills in the defaults. */
export type TrainRequestBody = z.input<typeof TrainRequest>;

/** Gives the training of a preset, which nested `--set training.optimizer.…` starts from. */
export type PresetTraining = (preset: string) => Promise<JsonObject>;

/**
 * Builds the body of `POST /v1/workflows/train-register-deploy` from a preset's name or a JSON file, with options on
 * top and `--set` last. A file holds a whole request, a preset (`dataset`, `model`, `training`, `gates`) or a bare
 * network (`name`, `layers`).
 * @throws CliError `usage` that names every wrong field.
 */
export async function buildTrainRequest(
  model: string,
  options: TrainRequestOptions,
  presetTraining: PresetTraining,
): Promise<TrainRequestBody> {
  const base: JsonObject = isFile(model) ? await readRequestFile(model) : { model };
  const assignments = [...optionAssignments(options), ...(options.set ?? []).map(parseAssignment)];
  const body = assign(await withOptimizer(base, assignments, presetTraining), assignments);
  const checked = TrainRequest.safeParse(body);
  if (!checked.success) throw invalid(checked.error);
  return body as TrainRequestBody;
}

function isFile(model: string): boolean {
  return model.endsWith('.json') || model.includes('/');
}

async function readRequestFile(file: string): Promise<JsonObject> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(`${file} holds no JSON object`);
  }
  const object = value as JsonObject;
  return 'layers' in object ? { model: object } : object;
}

function optionAssignments(options: TrainRequestOptions): Assignment[] {
  const given = [
    [['seed'], options.seed],
    [['training', 'epochs'], options.epochs],
    [['dataset'], options.dataset],
    [['registerAs'], options.registerAs],
    [['approval', 'required'], options.approval === true ? true : undefined],
    [['onFailure', 'action'], options.waitOnFailure === true ? 'wait' : undefined],
    [['cache', 'mode'], options.cache === false ? 'off' : undefined],
    [['cache', 'from'], options.from],
    [['rollout'], options.rollout === false ? false : undefined],
  ] as const;
  return given.flatMap(([path, value]) => (value === undefined ? [] : [{ path, value }]));
}

/** The API replaces an optimizer as a whole, so a change inside one must start from the preset's. */
async function withOptimizer(
  base: JsonObject,
  assignments: readonly Assignment[],
  presetTraining: PresetTraining,
): Promise<JsonObject> {
  const inside = assignments.some(({ path }) => path[0] === 'training' && path[1] === 'optimizer' && path.length > 2);
  const training = base.training as JsonObject | undefined;
  if (!inside || typeof base.model !== 'string' || training?.optimizer !== undefined) return base;
  const { optimizer } = await presetTraining(base.model);
  return optimizer === undefined ? base : { ...base, training: { ...training, optimizer } };
}

function invalid(error: z.ZodError): Error {
  const issues = error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`);
  return usageError(issues.join('; '), 'docs/models.md describes every field.');
}
