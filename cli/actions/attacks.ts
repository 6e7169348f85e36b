import { AttackList, WorkflowStarted } from '../../contracts/api.ts';
import { ApiClient } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { buildAttackRequest } from './attack-request.ts';
import type { AttackRequestOptions } from './attack-request.ts';
import { reportStarted } from './started.ts';

export interface AttackStartOptions extends AttackRequestOptions {
  readonly follow?: boolean;
  readonly idempotencyKey?: string;
  readonly json?: boolean;
}

/** `saip attack start`: starts `attackRetest` and, with `--follow`, shows it to its end. */
export async function startAttack(io: Io, model: string, options: AttackStartOptions): Promise<ExitCode> {
  const body = buildAttackRequest(model, options);
  const api = await ApiClient.open(io.env);
  const key = options.idempotencyKey;
  const started = await api.post('/v1/workflows/attack-retest', body, WorkflowStarted, {
    role: 'redteam',
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
  return reportStarted(io, api, started, options);
}

export interface AttackListOptions extends OutputOptions {
  readonly model?: string;
  readonly limit?: number;
  readonly pageToken?: string;
}

export async function listAttacks(io: Io, options: AttackListOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { model, limit, pageToken } = options;
  const list = await api.get('/v1/attacks', AttackList, { role: 'viewer', query: { model, limit, pageToken } });
  present(io, options, list, ({ attacks, nextPageToken }) => {
    if (attacks.length === 0) return 'no attacks; start one with saip attack start mnist-cnn';
    const rows = attacks.map(({ model: name, version, measured, configSha256, workflowId, at }) => [
      formatTime(at),
      name,
      version,
      measured.clean.value.toFixed(3),
      measured.worst.map(({ epsilon, accuracy }) => `${String(epsilon)}: ${accuracy.value.toFixed(3)}`).join('  '),
      configSha256.slice(0, 8),
      workflowId,
    ]);
    const head = ['time', 'model', 'version', 'clean', 'worst case by ε', 'config', 'workflow'];
    const table = renderTable(head, rows, io);
    return nextPageToken === undefined ? table : `${table}\nmore: --page-token ${nextPageToken}`;
  });
  return EXIT.ok;
}
