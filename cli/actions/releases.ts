import { mkdir, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import { WorkflowStarted } from '../../contracts/api.ts';
import { ReleaseDetail, ReleaseKeys, ReleaseList } from '../../contracts/release-api.ts';
import { ApiClient, path } from '../client/index.ts';
import type { CallOptions } from '../client/index.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { reportStarted } from './started.ts';
import type { StartedOptions } from './started.ts';

const READ: CallOptions = { role: 'viewer' };
/** Hexadecimal digits of a digest that a table shows. */
const SHORT_DIGEST = 12;

export interface StartReleaseOptions extends StartedOptions {
  readonly notes?: string;
  readonly risk: string;
  readonly requireAttackReport?: boolean;
  readonly approval?: boolean;
  readonly approvalTimeout?: number;
  readonly idempotencyKey?: string;
}

/** `saip release start`: starts `signAndRelease` and, with `--follow`, shows it to its end. */
export async function startRelease(
  io: Io,
  { model, version }: { readonly model: string; readonly version: string | undefined },
  options: StartReleaseOptions,
): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { notes, risk, requireAttackReport, approval, approvalTimeout, idempotencyKey: key } = options;
  const body = {
    model,
    version,
    notes,
    risk,
    requireAttackReport,
    approval: { required: approval ?? false, timeoutSeconds: approvalTimeout },
  };
  const started = await api.post('/v1/workflows/sign-and-release', body, WorkflowStarted, {
    role: 'releaser',
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
  return reportStarted(io, api, started, options);
}

export interface ListReleasesOptions extends OutputOptions {
  readonly model?: string;
  readonly limit?: number;
  readonly pageToken?: string;
}

export async function listReleases(io: Io, options: ListReleasesOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { model, limit, pageToken } = options;
  const list = await api.get('/v1/releases', ReleaseList, { ...READ, query: { model, limit, pageToken } });
  present(io, options, list, ({ releases, nextPageToken }) => {
    if (releases.length === 0) return 'no releases; make one with saip release start MODEL';
    const table = renderTable(
      ['model', 'version', 'digest', 'manifest', 'requested by', 'approved by', 'published'],
      releases.map((release) => [
        release.model,
        release.version,
        release.digest.slice(0, SHORT_DIGEST),
        release.manifestSha256.slice(0, SHORT_DIGEST),
        release.requestedBy,
        release.approvedBy,
        formatTime(release.publishedAt),
      ]),
      io,
    );
    return nextPageToken === undefined ? table : `${table}\nmore: --page-token ${nextPageToken}`;
  });
  return EXIT.ok;
}

export async function showRelease(io: Io, model: string, version: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const detail = await api.get(path`/v1/releases/${model}/${version}`, ReleaseDetail, READ);
  present(io, options, detail, ({ release, manifest }) => {
    const files = Object.entries(manifest.files).map(([name, file]) => [
      name,
      file.bytes,
      file.sha256.slice(0, SHORT_DIGEST),
      file.mediaType,
    ]);
    return [
      renderPairs([
        ['release', `${release.model} ${release.version}`],
        ['published', formatTime(release.publishedAt)],
        ['digest', release.digest],
        ['manifest', release.manifestSha256],
        ['risk', manifest.risk],
        ['policy', [manifest.policy.rule, ...manifest.policy.reasons].join('; ')],
        ['requested by', release.requestedBy],
        ['approved by', release.approvedBy],
        ['evidence', manifest.evidence.map(({ kind }) => kind).join(', ')],
        ['workflow', release.workflowId],
        ['notes', manifest.notes],
      ]),
      renderTable(['file', 'bytes', 'sha-256', 'type'], files, io),
    ].join('\n\n');
  });
  return EXIT.ok;
}

export interface DownloadOptions extends OutputOptions {
  readonly to?: string;
}

/** `saip release download`: the folder appears whole, or not at all. */
export async function downloadRelease(
  io: Io,
  model: string,
  version: string,
  options: DownloadOptions,
): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const folder = resolve(options.to ?? `${model}-${version}`);
  const partial = `${folder}.partial`;
  const body = await api.download(path`/v1/releases/${model}/${version}/archive`, READ);
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw usageError(`${folder} exists already`, 'Name another folder with --to.');
    throw error;
  });
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    await pipeline(Readable.fromWeb(body), extract({ cwd: partial, strip: 1, strict: true, filter: isPlain }));
    await rename(partial, folder);
  } catch (cause) {
    await rm(partial, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
    throw new CliError('the archive did not arrive whole', { hint: 'Try again.', cause });
  }
  present(io, options, { folder, model, version }, () =>
    [`${model} ${version} is in ${folder}`, `verify it: saip release verify ${folder} --keys FILE`].join('\n'),
  );
  return EXIT.ok;
}

/** A release holds files and folders; anything else in an archive is not one of ours. */
function isPlain(_path: string, entry: object): boolean {
  return 'type' in entry && (entry.type === 'File' || entry.type === 'Directory');
}

export async function printKeys(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get('/v1/release-keys', ReleaseKeys, READ);
  present(io, options, list, ({ keys }) =>
    keys.map(({ fingerprint, pem }) => `# fingerprint ${fingerprint}\n${pem.trim()}`).join('\n'),
  );
  return EXIT.ok;
}
