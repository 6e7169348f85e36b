import { z } from 'zod';
import {
  AuditCheckpoints,
  AuditEntriesQuery,
  AuditKeys,
  AuditRecordList,
  AuditRecordView,
  ConsistencyProof,
  ConsistencyQuery,
  ErasureRequest,
  ErasureResult,
  InclusionProof,
  InclusionQuery,
} from '../../contracts/audit-api.ts';
import {
  TILE_WIDTH,
  consistencyProof,
  formatVerifierKey,
  inclusionProof,
  openCheckpoint,
  parseTilePath,
  rootAt,
  type NoteKey,
} from '../../lib/audit/index.ts';
import type { AuditErasure, AuditLog, AuditTree } from '../../lib/clients/index.ts';
import { ApiError } from '../errors.ts';
import { pageOf, readToken } from '../http/paging.ts';
import { route, type Route } from '../http/route.ts';

export interface AuditRoutesOptions {
  readonly log: Pick<AuditLog, 'entries' | 'leaves'>;
  readonly tree: AuditTree;
  readonly erasure: Pick<AuditErasure, 'erasePerson'>;
  readonly origin: string;
  /** Every usable version of the log's key, oldest first. */
  readonly keys: () => Promise<readonly NoteKey[]>;
}

const tag = 'Audit';
const RowToken = z.coerce.number().int().positive();
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** The audit log, as records and as C2SP tlog-tiles under the prefix `/v1/audit`. */
export function auditRoutes(options: AuditRoutesOptions): Route[] {
  return [
    entriesRoute(options),
    ...checkpointRoutes(options),
    proofRoute(options),
    consistencyRoute(options),
    ...tileRoutes(options),
    erasureRoute(options),
  ];
}

function entriesRoute({ log }: AuditRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/audit/entries',
    operationId: 'listAuditEntries',
    tag,
    summary: 'Records, newest first, or by their place in the tree',
    access: 'audit:read',
    query: AuditEntriesQuery,
    success: { status: 200, description: 'One page.', schema: AuditRecordList },
    handler: async ({ query: { fromIndex, limit, pageToken, ...filter } }) => {
      if (fromIndex !== undefined) {
        return { entries: (await log.leaves(fromIndex, limit)).map((entry) => AuditRecordView.parse(entry)) };
      }
      const rows = await log.entries({ ...filter, beforeId: readToken(pageToken, RowToken), limit: limit + 1 });
      const { items, nextPageToken } = pageOf(rows, limit, ({ id }) => String(id));
      return { entries: items.map((entry) => AuditRecordView.parse(entry)), nextPageToken };
    },
  });
}

function checkpointRoutes({ tree, keys, origin }: AuditRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/audit/checkpoint',
      operationId: 'getAuditCheckpoint',
      tag,
      summary: 'The newest signed head of the tree (C2SP tlog-checkpoint)',
      access: 'audit:read',
      success: { status: 200, description: 'A signed note.', mediaType: 'text/plain' },
      errors: ['AUDIT_RANGE_UNKNOWN'],
      handler: async ({ response }) => {
        response.type('text/plain; charset=utf-8').send(await tree.checkpoint());
      },
    }),
    route({
      method: 'get',
      path: '/v1/audit/checkpoints',
      operationId: 'listAuditCheckpoints',
      tag,
      summary: 'The newest thousand signed heads, smallest first',
      access: 'audit:read',
      success: { status: 200, description: 'Signed notes.', schema: AuditCheckpoints },
      handler: async () => ({ checkpoints: await tree.checkpoints() }),
    }),
    route({
      method: 'get',
      path: '/v1/audit/key',
      operationId: 'getAuditKey',
      tag,
      summary: 'Verifier keys of the log (C2SP signed-note); compare them by another way before you trust them',
      access: 'public',
      success: { status: 200, description: 'Every usable version of the key.', schema: AuditKeys },
      handler: async ({ response }) => {
        response.set('Cache-Control', 'public, max-age=300');
        return { origin, keys: (await keys()).map(formatVerifierKey) };
      },
    }),
  ];
}

function proofRoute({ tree, keys }: AuditRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/audit/proof',
    operationId: 'getAuditProof',
    tag,
    summary: 'That a leaf is in the tree (RFC 9162 section 2.1.3)',
    description: 'Without `size` of the tree whose head was signed last.',
    access: 'audit:read',
    query: InclusionQuery,
    success: { status: 200, description: 'The path from the leaf to the root.', schema: InclusionProof },
    errors: ['AUDIT_RANGE_UNKNOWN'],
    handler: async ({ query: { index, size: asked } }) => {
      const size = asked ?? (await signedSize(tree, keys));
      const proof = await inclusionProof(tree, index, size);
      const width = (index % TILE_WIDTH) + 1;
      const tile = await tree.tile({ level: 0, index: Math.floor(index / TILE_WIDTH), width });
      const leafHash = base64((tile ?? new Uint8Array()).subarray((width - 1) * 32));
      return { index, size, leafHash, root: base64(await rootAt(tree, size)), proof: proof.map(base64) };
    },
  });
}

function consistencyRoute({ tree, keys }: AuditRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/audit/consistency',
    operationId: 'getAuditConsistency',
    tag,
    summary: 'That a tree continues an older one (RFC 9162 section 2.1.4)',
    access: 'audit:read',
    query: ConsistencyQuery,
    success: { status: 200, description: 'The path between the two roots.', schema: ConsistencyProof },
    errors: ['AUDIT_RANGE_UNKNOWN'],
    handler: async ({ query: { from, to: asked } }) => {
      const to = asked ?? (await signedSize(tree, keys));
      const proof = await consistencyProof(tree, from, to);
      const [fromRoot, toRoot] = await Promise.all([rootAt(tree, from), rootAt(tree, to)]);
      return { from, to, fromRoot: base64(fromRoot), toRoot: base64(toRoot), proof: proof.map(base64) };
    },
  });
}

async function signedSize(tree: AuditTree, keys: AuditRoutesOptions['keys']): Promise<number> {
  return openCheckpoint(await tree.checkpoint(), await keys()).size;
}

/** Paths of tiles have one to some parts: `0/000`, `0/x001/234.p/5`. */
function tileRoutes(options: AuditRoutesOptions): Route[] {
  const parts = ['level', 'a', 'b', 'c', 'd', 'e', 'f'] as const;
  return [2, 3, 4, 5, 6].map((length) => tileRoute(options, parts.slice(0, length)));
}

function tileRoute({ tree }: AuditRoutesOptions, parts: readonly string[]): Route {
  return route({
    method: 'get',
    path: `/v1/audit/tile/${parts.map((part) => `{${part}}`).join('/')}`,
    operationId: `getAuditTile${parts.length}`,
    tag,
    summary: 'A tile of the tree, or a bundle of entries (C2SP tlog-tiles)',
    access: 'audit:read',
    params: z.strictObject(Object.fromEntries(parts.map((part) => [part, z.string().min(1).max(16)]))),
    success: { status: 200, description: 'Hashes, or entries.', mediaType: 'application/octet-stream' },
    errors: ['NOT_FOUND'],
    handler: async ({ params, response }) => {
      const given: Readonly<Record<string, string>> = params;
      const path = parts.map((part) => given[part]).join('/');
      const bytes = await resourceAt(tree, path);
      if (bytes === undefined) throw new ApiError('NOT_FOUND', `The log has no tile/${path}.`);
      response.type('application/octet-stream').send(Buffer.from(bytes));
    },
  });
}

/** Bundles are given for as many leaves as the tree has. */
async function resourceAt(tree: AuditTree, path: string): Promise<Uint8Array | undefined> {
  const tile = parseTilePath(path);
  if (tile === undefined) return undefined;
  const { level, index, width } = tile;
  if (level !== 'entries') return level > 7 ? undefined : tree.tile({ level, index, width });
  if ((await tree.tile({ level: 0, index, width })) === undefined) return undefined;
  return tree.entries(index, width);
}

function erasureRoute({ erasure }: AuditRoutesOptions): Route {
  return route({
    method: 'post',
    path: '/v1/audit/erasures',
    operationId: 'eraseAuditSubject',
    tag,
    summary: 'Erase what the records hold about one person or client; leaves and proofs stay',
    access: 'audit:erase',
    // Who was allowed is written in one transaction with the erasure, without the name of the person.
    audited: false,
    body: ErasureRequest,
    success: { status: 200, description: 'How many records it was.', schema: ErasureResult },
    errors: ['AUDIT_UNAVAILABLE'],
    handler: ({ body: { subject }, caller, traceId }) => erasure.erasePerson(subject, { by: caller.sub, traceId }),
  });
}
