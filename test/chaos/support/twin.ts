import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

/** Starts another process like `pid`, same program and environment, that no supervisor knows; a session of its own, too. */
export function startTwin(pid: number): ChildProcess {
  const [program = '', ...arguments_] = read(pid, 'cmdline');
  const variables = read(pid, 'environ').map((line) => [
    line.slice(0, line.indexOf('=')),
    line.slice(line.indexOf('=') + 1),
  ]);
  // The supervisor waits for this file; it is the first process's to write.
  const env = Object.fromEntries(variables.filter(([name]) => name !== 'SAIP_READY_FILE')) as NodeJS.ProcessEnv;
  return spawn(program, arguments_, { env, cwd: readlinkSync(`/proc/${pid}/cwd`), detached: true, stdio: 'ignore' });
}

function read(pid: number, file: 'cmdline' | 'environ'): string[] {
  return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').slice(0, -1);
}
