import { execFile } from 'node:child_process';
import { access, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { openVault, readCredentials } from '../openbao/index.ts';
import type { StackContext } from '../service.ts';
import { postgresAccount, postgresData } from './account.ts';

const run = promisify(execFile);

/** Only password logins over TCP on loopback; there is no Unix socket. */
const HBA = 'host all all 127.0.0.1/32 scram-sha-256\n';

const SETTINGS = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = '64MB'
log_min_duration_statement = '2s'
log_connections = ''
`;

/** Creates the cluster at the first start, and writes its settings at every start. */
export async function prepareCluster(context: StackContext): Promise<void> {
  const data = postgresData(context);
  await makeTraversable(dirname(data));
  if (!(await exists(join(data, 'PG_VERSION')))) await createCluster(context, data);
  const account = await postgresAccount();
  for (const [name, content] of [
    ['postgresql.auto.conf', SETTINGS],
    ['pg_hba.conf', HBA],
  ] as const) {
    const file = join(data, name);
    if ((await readFile(file, 'utf8')) === content) continue;
    await writeFile(file, content, { mode: 0o600 });
    if (account) await chown(file, account.uid, account.gid);
  }
}

/** initdb into a folder beside the real one, so that an interrupted start leaves nothing half made. */
async function createCluster(context: StackContext, data: string): Promise<void> {
  const account = await postgresAccount();
  const { username, password } = await readCredentials(await openVault(context), 'superuser');
  const fresh = `${data}.new`;
  const passwordFile = `${data}.pw`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account) {
    await chown(fresh, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  const args = ['-D', fresh, '-U', username, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256'];
  try {
    await run(join(context.toolchain.postgresBin, 'initdb'), [...args, '-E', 'UTF8', '--locale=C.UTF-8'], {
      cwd: '/',
      ...account,
    });
    await rm(data, { recursive: true, force: true });
    await rename(fresh, data);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function makeTraversable(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o711 });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
