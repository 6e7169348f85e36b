import { ApiKeyCreated, ApiKeyList } from '../../contracts/api-keys.ts';
import type { ApiKeyView } from '../../contracts/api-keys.ts';
import { ApiClient, path } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { readRole } from './session.ts';

export interface CreateKeyOptions extends OutputOptions {
  readonly as: string;
  readonly role?: readonly string[];
  readonly action?: readonly string[];
  readonly model?: readonly string[];
  readonly days?: number;
}

export async function createKey(io: Io, name: string, options: CreateKeyOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { role: roles, action: actions, model: models, days: expiresInDays } = options;
  const body = { name, roles, actions, models, expiresInDays };
  const created = await api.post('/v1/api-keys', body, ApiKeyCreated, { role: readRole(options.as) });
  present(io, options, created, describeCreated);
  return EXIT.ok;
}

function describeCreated(created: ApiKeyCreated): string {
  const { id, roles, actions, models, expiresAt, formerUntil, key } = created;
  return [
    renderPairs([
      ['key', id],
      ['roles', roles.join(', ')],
      ['good for', actions.join(', ')],
      ['models', models?.join(', ') ?? 'all'],
      ['expires', formatTime(expiresAt)],
      ['former key until', formerUntil && formatTime(formerUntil)],
    ]),
    '',
    key,
    '',
    'It is shown this once. Send it as a bearer token, or in the header X-API-Key.',
  ].join('\n');
}

export interface ListKeysOptions extends OutputOptions {
  readonly as: string;
  readonly all?: boolean;
}

export async function listKeys(io: Io, options: ListKeysOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list =
    options.all === true
      ? await api.get('/v1/api-keys/all', ApiKeyList, { role: 'admin' })
      : await api.get('/v1/api-keys', ApiKeyList, { role: readRole(options.as) });
  present(io, options, list, ({ keys }) => {
    if (keys.length === 0) return 'no keys';
    const rows = keys.map((key) => [
      key.id,
      key.name,
      key.owner,
      key.actions.join(' '),
      key.models?.join(' ') ?? 'all',
      key.lastUsedAt === undefined ? 'never' : formatTime(key.lastUsedAt),
      stateOf(key),
    ]);
    return renderTable(['key', 'name', 'owner', 'good for', 'models', 'last used', 'state'], rows, io);
  });
  return EXIT.ok;
}

function stateOf({ revokedAt, expiresAt }: ApiKeyView): string {
  if (revokedAt !== undefined) return `revoked ${formatTime(revokedAt)}`;
  return Date.parse(expiresAt) <= Date.now() ? 'expired' : `until ${formatTime(expiresAt)}`;
}

export interface RotateKeyOptions extends OutputOptions {
  readonly overlap?: number;
}

export async function rotateKey(io: Io, id: string, options: RotateKeyOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const body = { overlapSeconds: options.overlap };
  const rotated = await api.post(`${path`/v1/api-keys/${id}`}/rotate`, body, ApiKeyCreated, { role: 'admin' });
  present(io, options, rotated, describeCreated);
  return EXIT.ok;
}

export async function revokeKey(io: Io, id: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  await api.delete(path`/v1/api-keys/${id}`, { role: 'admin' });
  present(io, options, { id, revoked: true }, () => `revoked ${id}`);
  return EXIT.ok;
}
