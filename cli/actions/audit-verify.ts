import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AuditKeys } from '../../contracts/audit-api.ts';
import {
  FolderSource,
  Witness,
  exportLog,
  formatVerifierKey,
  openCheckpoint,
  parseVerifierKey,
  verifyLog,
  type LogSource,
  type NoteKey,
  type VerifiedLog,
} from '../../lib/audit/index.ts';
import { ApiClient } from '../client/index.ts';
import { saipHome } from '../client/stack-file.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { ApiSource } from './audit-source.ts';

export interface VerifyAuditOptions extends OutputOptions {
  readonly key?: readonly string[];
  readonly witness?: string;
  readonly copy?: string;
}

/**
 * `saip audit verify`: recomputes the log from a folder, without any server, or as the API gives it. The newest
 * checkpoint that was found right is kept, and the next verification must continue it.
 */
export async function verifyAudit(io: Io, folder: string | undefined, options: VerifyAuditOptions): Promise<ExitCode> {
  const api = folder === undefined ? await ApiClient.open(io.env) : undefined;
  const source = api === undefined ? new FolderSource(resolve(folder ?? '')) : new ApiSource(api);
  const witness = new Witness(resolve(options.witness ?? join(saipHome(io.env), 'audit-witness.json')));
  const keys = await trustedKeys(source, witness, options, api);
  const origin = keys[0]?.name ?? '';
  const kept = (await witness.recall(origin))?.checkpoint;
  const copy = options.copy === undefined ? undefined : await copyOf(options.copy, keys);
  const verified = await verifyLog({ source, keys, kept, copy });
  if (verified.damage === undefined) await witness.keep(verified.checkpoint, keys.map(formatVerifierKey));
  const { checkpoint, damage, ...counts } = verified;
  const result = {
    ok: damage === undefined,
    origin,
    size: checkpoint.size,
    root: Buffer.from(checkpoint.root).toString('base64'),
    since: kept?.size,
    ...counts,
    damage,
  };
  present(io, options, result, () => describe(io, verified, kept?.size));
  return damage === undefined ? EXIT.ok : EXIT.tampered;
}

function describe(io: Io, { checkpoint, damage, heads, personal, erased }: VerifiedLog, since?: number): string {
  const { green, red } = colorsOf(io);
  if (damage !== undefined) {
    const { index, before, message, kind } = damage;
    const place = before === undefined ? `leaf ${index}` : `a leaf from ${index} to ${before - 1}`;
    return `${red('✗')} the log is not what was signed (${kind}): ${place}\n  ${message}`;
  }
  const lines = [
    `${green('✓')} ${checkpoint.origin}: ${checkpoint.size} leaves are what was signed`,
    `  ${heads} signed heads; the personal data of ${personal} leaves compared, of ${erased} erased`,
    since === undefined
      ? '  the first checkpoint that was kept here: nothing older could be compared'
      : `  continues the checkpoint of ${since} leaves that was kept here`,
  ];
  return lines.join('\n');
}

/** Keys that were named, else those that were kept, else (from a running platform alone) those it shows. */
async function trustedKeys(
  source: LogSource,
  witness: Witness,
  { key = [] }: VerifyAuditOptions,
  api: ApiClient | undefined,
): Promise<NoteKey[]> {
  if (key.length > 0) return key.map(parseVerifierKey);
  const [origin = ''] = (await source.checkpoint()).split('\n');
  const kept = (await witness.recall(origin))?.keys ?? [];
  if (kept.length > 0) return kept.map(parseVerifierKey);
  if (api === undefined) {
    throw usageError('name the key that you trust with --key', 'saip audit key prints that of a running platform.');
  }
  return (await shownKeys(api)).keys.map(parseVerifierKey);
}

function shownKeys(api: ApiClient): Promise<AuditKeys> {
  return api.get('/v1/audit/key', AuditKeys, { role: 'auditor' });
}

async function copyOf(folder: string, keys: readonly NoteKey[]): Promise<{ tiles: LogSource; size: number }> {
  const tiles = new FolderSource(resolve(folder));
  return { tiles, size: openCheckpoint(await tiles.checkpoint(), keys).size };
}

export async function printAuditKey(io: Io, options: OutputOptions): Promise<ExitCode> {
  const shown = await shownKeys(await ApiClient.open(io.env));
  present(io, options, shown, ({ keys }) => keys.join('\n'));
  return EXIT.ok;
}

export interface ExportAuditOptions extends OutputOptions {
  readonly key?: readonly string[];
}

/** `saip audit export`: the folder appears whole, or not at all. */
export async function exportAudit(io: Io, folder: string, options: ExportAuditOptions): Promise<ExitCode> {
  const to = resolve(folder);
  if (existsSync(to)) throw usageError(`${to} exists already`, 'Name a folder that does not.');
  const api = await ApiClient.open(io.env);
  const keys = (options.key ?? (await shownKeys(api)).keys).map(parseVerifierKey);
  const { origin, size } = await exportLog(new ApiSource(api), to, keys);
  present(io, options, { folder: to, origin, size }, () =>
    [`${size} leaves of ${origin} are in ${to}`, `verify them: saip audit verify ${to} --key KEY`].join('\n'),
  );
  return EXIT.ok;
}
