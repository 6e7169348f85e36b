import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { serviceEnvironment } from './environment.ts';
import { openLog } from './logs.ts';
import { endFamily, identify } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { stopOptions } from './service.ts';
import type { ServiceSpec, StackContext } from './service.ts';
import { writeJson } from './state.ts';

/** One life of a service's process. */
export interface ServiceProcess {
  readonly identity: ProcessIdentity;
  /** Aborted when the process has ended. */
  readonly ended: AbortSignal;
  /** Resolves with why it ended. */
  readonly reason: Promise<string>;
  /** Ends the process and everything it started; may be called more than once. */
  readonly end: () => Promise<void>;
}

/** Starts the process with its output going to the service's log. @throws Error when it cannot be started */
export async function startProcess(spec: ServiceSpec, context: StackContext): Promise<ServiceProcess> {
  const { layout } = context;
  const command = await spec.command(context);
  const child = spawn(command.file, command.args, {
    cwd: command.cwd ?? layout.home,
    env: serviceEnvironment(context, command.env),
    // A session of its own, so that the whole tree below it can be found and ended.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...command.account,
  });
  const log = openLog(layout.logs, spec.name);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.once('close', () => log.end());
  await once(child, 'spawn');
  const identity = identify(child.pid ?? 0);
  if (identity === undefined) throw new Error(`ended at once; see saip logs ${spec.name}`);
  const record = join(layout.run, `${spec.name}.json`);
  // Written before anything can fail, for the next supervisor, should this one be killed.
  writeJson(record, identity, 0o600);
  const ended = new AbortController();
  const reason = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      ended.abort();
      resolve(`ended with ${signal ?? `exit code ${code}`}`);
    });
  });
  const end = async (): Promise<void> => {
    await endFamily(identity, stopOptions(spec));
    rmSync(record, { force: true });
  };
  return { identity, ended: ended.signal, reason, end };
}
