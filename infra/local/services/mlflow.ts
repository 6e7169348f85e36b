import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { urls } from '../environment.ts';
import { expectOk } from '../http.ts';
import type { ServiceSpec, StackContext } from '../service.ts';

const passwordFile = ({ layout }: StackContext): string => join(layout.secrets, 'mlflow.pgpass');

export const mlflow: ServiceSpec = {
  name: 'mlflow',
  dependsOn: ['postgres', 'openbao'],
  port: 'mlflow',
  url: urls.mlflow,
  startTimeoutMs: 180_000,
  prepare: async (context) => {
    await mkdir(join(context.layout.data, 'mlflow'), { recursive: true, mode: 0o700 });
    const { openVault, readCredentials } = await import('../openbao/index.ts');
    const { username, password } = await readCredentials(await openVault(context), 'mlflow');
    // A file for libpq keeps the password out of the argument list and the environment.
    const line = `127.0.0.1:${context.ports.postgres}:mlflow:${username}:${password}\n`;
    await writeFile(passwordFile(context), line, { mode: 0o600 });
  },
  command: (context) => ({
    file: context.toolchain.mlflow,
    args: [
      ...['server', '--host', '127.0.0.1', '--port', String(context.ports.mlflow), '--workers', '1'],
      ...['--backend-store-uri', `postgresql+psycopg://mlflow@127.0.0.1:${context.ports.postgres}/mlflow`],
      ...['--artifacts-destination', join(context.layout.data, 'mlflow')],
    ],
    env: {
      PGPASSFILE: passwordFile(context),
      MLFLOW_DISABLE_TELEMETRY: 'true',
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
    },
  }),
  probe: ({ ports }) => expectOk(`${urls.mlflow(ports)}/health`),
  // Its command line starts uvicorn as a child and does not pass signals on.
  stop: { group: true },
};
