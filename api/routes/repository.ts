import { z } from 'zod';
import { Name } from '../../contracts/reference.ts';
import {
  RepositoryIndex,
  RepositoryIndexRequest,
  RepositorySwitchRequest,
  RepositorySwitched,
  type RepositoryEntry,
} from '../../contracts/repository.ts';
import { route, type Route } from '../http/route.ts';
import { loadedOf, type ServedModels, type Slot } from '../serving/index.ts';
import { MODEL_ERRORS } from './model-at-alias.ts';

export interface RepositoryRoutesOptions {
  readonly served: ServedModels;
  /** Takes a model out of service, or loads it anew. */
  readonly switchModel: (model: string, load: boolean, actor: string) => Promise<void>;
}

const tag = 'Inference';
const params = z.strictObject({ model: Name });
/** Verification and the first runs of a large graph take their time. */
const LOAD_TIMEOUT_MS = 120_000;

/**
 * The model repository extension of the Open Inference Protocol. The repository is the alias log: its index lists the
 * versions that an alias means.
 */
export function repositoryRoutes({ served, switchModel }: RepositoryRoutesOptions): Route[] {
  return [
    route({
      method: 'post',
      path: '/v2/repository/index',
      operationId: 'getRepositoryIndex',
      tag,
      summary: 'Versions that an alias means, and whether they answer',
      access: 'model:read',
      // It changes nothing.
      audited: false,
      body: RepositoryIndexRequest,
      bodyOptional: true,
      untyped: true,
      success: { status: 200, description: 'All of them.', schema: RepositoryIndex },
      handler: ({ body: { ready } }) => {
        const entries = indexOf(served.slots());
        return ready === true ? entries.filter(({ state }) => state === 'READY') : entries;
      },
    }),
    ...([true, false] as const).map((load) =>
      route({
        method: 'post',
        path: `/v2/repository/models/{model}/${load ? 'load' : 'unload'}`,
        operationId: load ? 'loadModel' : 'unloadModel',
        tag,
        summary: load ? 'Verify and load what the aliases of a model mean' : 'Take a model out of service',
        description: load
          ? 'Loaded anew where it is loaded already. Every process of the API follows; this one has when it answers.'
          : 'Its aliases stay; nothing of it answers, in any process and after any restart, until it is loaded.',
        access: 'model:serve',
        params,
        resource: ({ model }) => ({ model }),
        body: RepositorySwitchRequest,
        bodyOptional: true,
        untyped: true,
        timeout: LOAD_TIMEOUT_MS,
        success: { status: 200, description: 'Done in this process.', schema: RepositorySwitched },
        errors: [...MODEL_ERRORS, 'DATABASE_UNAVAILABLE'],
        handler: async ({ params: { model }, caller }) => {
          await switchModel(model, load, caller.sub);
          return { name: model, loaded: load, versions: served.versions(model) };
        },
      }),
    ),
  ];
}

/** One entry a version; it answers where one of its aliases does. */
function indexOf(slots: readonly Slot[]): RepositoryEntry[] {
  const entries = new Map<string, RepositoryEntry>();
  for (const slot of slots) {
    const { model, version } = slot.target;
    const key = `${model}/${version}`;
    const entry = { name: model, version, ...stateOf(slot) };
    if (entry.state === 'READY' || !entries.has(key)) entries.set(key, entry);
  }
  return [...entries.values()];
}

function stateOf(slot: Slot): Pick<RepositoryEntry, 'state' | 'reason'> {
  if (slot.state === 'ready') return { state: 'READY', reason: '' };
  const loaded = loadedOf(slot);
  if (loaded?.version === slot.target.version) return { state: 'READY', reason: '' };
  const state = slot.state === 'loading' ? 'LOADING' : 'UNAVAILABLE';
  return { state, reason: slot.refusal === undefined ? '' : `${slot.refusal.code}: ${slot.refusal.reason}` };
}
