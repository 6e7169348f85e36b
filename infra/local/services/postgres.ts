import { join } from 'node:path';
import { postgresAccount, postgresData } from '../postgres/account.ts';
import type { ServiceSpec } from '../service.ts';

/** Loaded when it is needed: the command line reads the services too, and has no use for database drivers. */
const cluster = () => import('../postgres/index.ts');

export const postgres: ServiceSpec = {
  name: 'postgres',
  dependsOn: ['openbao'],
  port: 'postgres',
  startTimeoutMs: 60_000,
  prepare: async (context) => (await cluster()).prepareCluster(context),
  command: async (context) => {
    const account = await postgresAccount();
    return {
      file: join(context.toolchain.postgresBin, 'postgres'),
      args: ['-D', postgresData(context), '-p', String(context.ports.postgres)],
      // The server changes into its data folder; the state directory may be closed to its account.
      cwd: '/',
      ...(account && { account }),
    };
  },
  probe: async (context) => (await cluster()).probeCluster(context),
  provision: async (context) => {
    await (await cluster()).provisionDatabases(context);
    await (await import('../openbao/index.ts')).lendDatabaseLogins(context);
  },
  // SIGTERM would wait for every client to leave; SIGINT rolls back and disconnects ("fast shutdown").
  stop: { signal: 'SIGINT' },
};
