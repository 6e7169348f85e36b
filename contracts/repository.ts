import { z } from 'zod';

/** Body of `POST /v2/repository/index` (model repository extension). */
export const RepositoryIndexRequest = z.object({
  /** Only models that answer. */
  ready: z.boolean().optional(),
});

export const REPOSITORY_STATES = ['READY', 'LOADING', 'UNAVAILABLE'] as const;

/** One version that an alias means; `reason` says why it does not answer. */
export const RepositoryEntry = z.object({
  name: z.string(),
  version: z.string(),
  state: z.enum(REPOSITORY_STATES),
  reason: z.string(),
});
export type RepositoryEntry = z.infer<typeof RepositoryEntry>;

export const RepositoryIndex = z.array(RepositoryEntry);

/** Body of `…/load` and `…/unload`. What clients send as parameters means nothing here: the alias log says what is served. */
export const RepositorySwitchRequest = z.object({
  parameters: z.record(z.string().max(256), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

/** Versions of the model that answer now in the process that was asked. */
export const RepositorySwitched = z.object({ name: z.string(), loaded: z.boolean(), versions: z.array(z.string()) });
export type RepositorySwitched = z.infer<typeof RepositorySwitched>;
