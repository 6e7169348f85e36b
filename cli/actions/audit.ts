import { AuditRecordList, ConsistencyProof, ErasureResult, InclusionProof } from '../../contracts/audit-api.ts';
import { verifyConsistency, verifyInclusion } from '../../lib/audit/index.ts';
import { ApiClient } from '../client/index.ts';
import type { CallOptions } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';

const READ: CallOptions = { role: 'auditor' };
const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64');

export interface ShowAuditOptions extends OutputOptions {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly fromIndex?: number;
  readonly limit?: number;
  readonly pageToken?: string;
}

export async function showAudit(io: Io, options: ShowAuditOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { actor, action, subject, fromIndex, limit, pageToken } = options;
  const query = { actor, action, subject, fromIndex, limit, pageToken };
  const list = await api.get('/v1/audit/entries', AuditRecordList, { ...READ, query });
  present(io, options, list, ({ entries, nextPageToken }) => {
    const table = renderTable(
      ['leaf', 'at', 'actor', 'action', 'subject', 'decision', 'detail'],
      entries.map((entry) => [
        entry.index,
        formatTime(entry.at),
        entry.erasedBy === undefined ? entry.actor : '(erased)',
        entry.action,
        entry.subject,
        entry.decision,
        Object.entries(entry.detail ?? {})
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')
          .slice(0, 60),
      ]),
      io,
    );
    return nextPageToken === undefined ? table : `${table}\nmore: --page-token ${nextPageToken}`;
  });
  return EXIT.ok;
}

export interface ProveOptions extends OutputOptions {
  readonly size?: number;
  readonly since?: number;
}

/** `saip audit prove`: asks for a proof and checks it here. */
export async function proveAudit(io: Io, index: number, options: ProveOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { size, since } = options;
  const inclusion = await api.get('/v1/audit/proof', InclusionProof, { ...READ, query: { index, size } });
  const consistency =
    since === undefined
      ? undefined
      : await api.get('/v1/audit/consistency', ConsistencyProof, {
          ...READ,
          query: { from: since, to: inclusion.size },
        });
  const holds =
    verifyInclusion({
      index,
      size: inclusion.size,
      leaf: bytes(inclusion.leafHash),
      root: bytes(inclusion.root),
      proof: inclusion.proof.map(bytes),
    }) &&
    (consistency === undefined ||
      (consistency.toRoot === inclusion.root &&
        verifyConsistency({
          from: consistency.from,
          to: consistency.to,
          fromRoot: bytes(consistency.fromRoot),
          toRoot: bytes(consistency.toRoot),
          proof: consistency.proof.map(bytes),
        })));
  const { green, red } = colorsOf(io);
  present(io, options, { holds, inclusion, consistency }, () =>
    [
      `${holds ? green('✓') : red('✗')} leaf ${index} in the tree of ${inclusion.size} leaves`,
      `  leaf ${inclusion.leafHash}`,
      ...inclusion.proof.map((hash) => `       ${hash}`),
      `  root ${inclusion.root}`,
    ].join('\n'),
  );
  return holds ? EXIT.ok : EXIT.tampered;
}

/** `saip audit erase`: an administrator's. */
export async function eraseAudit(io: Io, options: OutputOptions & { readonly subject: string }): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { subject } = options;
  const result = await api.post('/v1/audit/erasures', { subject }, ErasureResult, { role: 'admin' });
  present(
    io,
    options,
    result,
    ({ erased, recordId }) => `the personal data of ${erased} records is erased (record ${recordId})`,
  );
  return EXIT.ok;
}
