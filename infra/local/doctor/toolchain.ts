import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSaipError } from '../../../contracts/errors.ts';
import { CHECKOUT, loadToolchain } from '../toolchain.ts';
import type { Toolchain } from '../toolchain.ts';
import type { Finding } from './finding.ts';

const check = 'toolchain';
const SETUP = 'make setup';

/** What the set-up needs of the machine: the same lines that `make setup` prints. */
export function checkPrerequisites(): Finding[] {
  const script = join(CHECKOUT, 'infra', 'toolchain', 'preflight.sh');
  const { stderr } = spawnSync('sh', [script], { encoding: 'utf8' });
  const missing: Finding[] = stderr
    .split('\n')
    .filter((line) => line.startsWith('missing: '))
    .map((line) => {
      const [message = line, mend] = line.slice('missing: '.length).split(' — ');
      return { check: 'prerequisites', level: 'error', message: `missing: ${message}`, ...(mend && { mend }) };
    });
  return missing.length > 0 ? missing : [{ check: 'prerequisites', level: 'ok', message: 'complete' }];
}

export function checkToolchain(): Finding[] {
  let toolchain: Toolchain;
  try {
    toolchain = loadToolchain();
  } catch (error) {
    if (!isSaipError(error)) throw error;
    return [{ check, level: 'error', message: error.message, mend: SETUP }];
  }
  const { node, npmCli, python, temporal, bao, postgresBin, mlflow, tensorflowLib, llmModel } = toolchain;
  const paths = [node, npmCli, python, temporal, bao, postgresBin, mlflow, tensorflowLib, llmModel];
  const gone: Finding[] = paths
    .filter((path) => !existsSync(path))
    .map((path) => ({ check, level: 'error', message: `${path} is gone`, mend: SETUP }));
  if (gone.length > 0) return gone;
  return [
    { check, level: 'ok', message: `complete, for ${toolchain.device}, Node ${process.version}` },
    ...closedFolders(toolchain.postgresBin),
  ];
}

/** As root, PostgreSQL runs under another account, which must be able to enter every folder on the way. */
function closedFolders(path: string): Finding[] {
  if (process.getuid?.() !== 0) return [];
  const closed: Finding[] = [];
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) {
      const mend = 'SAIP_CACHE=/var/cache/saip make setup';
      closed.push({ check, level: 'error', message: `PostgreSQL's account cannot enter ${folder}`, mend });
    }
  }
  return closed;
}
