import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { SearchRequest } from '../../contracts/search.ts';
import { usageError } from '../errors.ts';
import type { TrainRequestBody } from './train-request.ts';

/** Options of `saip train --search`. */
export interface SearchOptions {
  readonly search?: boolean;
  readonly space?: string;
  readonly objective?: string;
  readonly trials?: number;
  readonly maxEpochs?: number;
  readonly minEpochs?: number;
  readonly eta?: number;
  readonly parallel?: number;
  readonly minutes?: number;
}

export type SearchRequestBody = z.input<typeof SearchRequest>;

const BUDGET = ['trials', 'maxEpochs', 'minEpochs', 'eta', 'parallel', 'minutes'] as const;

/** @throws CliError `usage` for options of a search that was not asked for */
export function refuseSearchOptions(options: SearchOptions): void {
  const given = (['space', 'objective', ...BUDGET] as const).find((name) => options[name] !== undefined);
  if (given === undefined) return;
  const flag = given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw usageError(`--${flag} belongs to a search`, 'Add --search.');
}

/**
 * Builds the body of `POST /v1/workflows/search-hyperparameters` around a training request. Defaults are the server's.
 * @throws CliError `usage` that names every wrong field
 */
export async function buildSearchRequest(train: TrainRequestBody, options: SearchOptions): Promise<SearchRequestBody> {
  const budget = Object.fromEntries(
    BUDGET.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const])),
  );
  const body = {
    train,
    ...(options.space !== undefined && { space: await readSpace(options.space) }),
    ...(options.objective !== undefined && { objective: options.objective }),
    ...(Object.keys(budget).length > 0 && { budget }),
  };
  const checked = SearchRequest.safeParse(body);
  if (checked.success) return body as SearchRequestBody;
  const issues = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`);
  throw usageError(issues.join('; '), 'docs/hyperparameter-search.md describes every field.');
}

async function readSpace(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw usageError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
