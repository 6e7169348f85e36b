import { postgresAccount, postgresData, prepareCluster, probeCluster, provisionDatabases } from '../postgres/index.ts';
import { join } from 'node:path';
import type { ServiceSpec } from '../service.ts';

export const postgres: ServiceSpec = {
  name: 'postgres',
  dependsOn: ['openbao'],
  port: 'postgres',
  startTimeoutMs: 60_000,
  prepare: prepareCluster,
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
  probe: probeCluster,
  provision: provisionDatabases,
  // SIGTERM would wait for every client to leave; SIGINT rolls back and disconnects ("fast shutdown").
  stop: { signal: 'SIGINT' },
};
