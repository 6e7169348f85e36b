import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { urls } from '../environment.ts';
import { expectOk } from '../http.ts';
import { auditLog, serverConfig } from '../openbao/server-config.ts';
import type { ServiceSpec } from '../service.ts';

/** Loaded when it is needed: the command line reads the services too, and has no use for OpenBao's client. */
const vault = () => import('../openbao/index.ts');

const AUDIT_LOG_BYTES = 50 * 2 ** 20;

/** Sets a long audit log aside before a start. Nothing here ever deletes one. */
async function rotateAuditLog(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.size < AUDIT_LOG_BYTES) return;
  await rename(file, `${file}.${new Date().toISOString().replaceAll(':', '')}`);
}

export const openbao: ServiceSpec = {
  name: 'openbao',
  dependsOn: [],
  port: 'openbao',
  url: urls.openbao,
  startTimeoutMs: 60_000,
  prepare: async (context) => {
    const directory = join(context.layout.data, 'openbao');
    await mkdir(join(directory, 'raft'), { recursive: true, mode: 0o700 });
    await writeFile(join(directory, 'server.hcl'), serverConfig(context), { mode: 0o600 });
    await rotateAuditLog(auditLog(context.layout.logs));
  },
  command: ({ layout, toolchain }) => ({
    file: toolchain.bao,
    args: ['server', `-config=${join(layout.data, 'openbao', 'server.hcl')}`],
  }),
  open: async (context) => (await vault()).unseal(context),
  probe: ({ ports }) => expectOk(`${urls.openbao(ports)}/v1/sys/health`),
  provision: async (context) => (await vault()).provisionVault(context),
};
