import { z } from 'zod';
import { MlflowError } from './errors.ts';

export const API = '/api/2.0/mlflow';

/** Tags by name. */
export type Tags = Readonly<Record<string, string>>;

export const Pairs = z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]);
export const Empty = z.object({});

/** Longest values MLflow keeps (mlflow/utils/validation.py). */
export const MAX_TAG_VALUE = 8000;
export const MAX_PARAM_VALUE = 6000;
export const MAX_PER_BATCH = { metrics: 1000, params: 100, tags: 100 } as const;

export function toPairs(tags: Tags, limit = MAX_TAG_VALUE): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value: value.slice(0, limit) }));
}

export function fromPairs(pairs: z.infer<typeof Pairs>): Record<string, string> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

/** `tags.name = 'value'` for every tag, in MLflow's filter language, which knows no escapes inside quotes. */
export function tagFilter(tags: Tags, prefix = 'tags.'): string {
  return Object.entries(tags)
    .map(([key, value]) => `${prefix}\`${key}\` = ${quote(value)}`)
    .join(' AND ');
}

export function quote(value: string): string {
  if (!value.includes("'")) return `'${value}'`;
  if (!value.includes('"')) return `"${value}"`;
  throw new MlflowError('MLFLOW_REJECTED', 'A value with both kinds of quotes cannot be searched for.');
}

/** Parts of at most `size`. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size),
  );
}
