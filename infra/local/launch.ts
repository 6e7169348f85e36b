import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { SaipError } from '../../contracts/errors.ts';
import { stackLayout } from './layout.ts';
import type { StackLayout } from './layout.ts';
import { endLeftovers } from './leftovers.ts';
import { isAlive, signal, waitForExit } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { selectServices } from './selection.ts';
import { GROUPS, SERVICES } from './services/index.ts';
import { readStackState, writeJson, writeStackState } from './state.ts';
import type { StackState } from './state.ts';
import { CHECKOUT, loadToolchain } from './toolchain.ts';

const LAUNCH_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 90_000;

/** @returns the supervisor of this stack while it lives */
export function liveSupervisor(state: StackState | undefined): ProcessIdentity | undefined {
  return state?.supervisor && isAlive(state.supervisor) ? state.supervisor : undefined;
}

/**
 * Makes sure that a supervisor runs and was told to start `only` (empty: everything). Returns at once; follow
 * `stack.json` for the state of the services.
 * @returns how many processes of a killed supervisor were ended first
 * @throws SaipError TOOL_MISSING | REQUEST_INVALID | STACK_UNHEALTHY
 */
export async function launch(options: {
  readonly home: string;
  readonly only: readonly string[];
}): Promise<{ readonly leftovers: number; readonly names: readonly string[] }> {
  const layout = stackLayout(options.home);
  const toolchain = loadToolchain();
  const names = selectServices(SERVICES, GROUPS, options.only).map(({ name }) => name);
  mkdirSync(layout.home, { recursive: true });
  // Two `saip up` at once must not start two supervisors.
  const release = await lock(layout.home, { lockfilePath: join(layout.home, 'up.lock'), retries: 30 });
  try {
    const running = liveSupervisor(readStackState(layout.stateFile));
    if (running !== undefined) {
      writeJson(layout.requestFile, { only: options.only }, 0o644);
      signal(running.pid, 'SIGHUP');
      return { leftovers: 0, names };
    }
    const leftovers = await endLeftovers(layout);
    writeJson(layout.requestFile, { only: options.only }, 0o644);
    await startSupervisor(layout, toolchain.node);
    return { leftovers, names };
  } finally {
    await release();
  }
}

async function startSupervisor(layout: StackLayout, node: string): Promise<void> {
  mkdirSync(layout.logs, { recursive: true });
  const crashFile = join(layout.run, 'supervisor.stderr');
  const output = openSync(crashFile, 'w', 0o600);
  const child = spawn(
    node,
    ['--enable-source-maps', '--max-old-space-size=128', join(CHECKOUT, 'infra/local/supervisor-main.ts')],
    {
      cwd: layout.home,
      env: { ...process.env, SAIP_HOME: layout.home },
      detached: true,
      stdio: ['ignore', output, output],
    },
  );
  closeSync(output);
  child.unref();
  const deadline = Date.now() + LAUNCH_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (liveSupervisor(readStackState(layout.stateFile))?.pid === child.pid) return;
    if (child.exitCode !== null) break;
    await delay(20);
  }
  const said = existsSync(crashFile) ? readFileSync(crashFile, 'utf8').trim() : '';
  throw new SaipError('STACK_UNHEALTHY', `The supervisor did not start. ${said.slice(-2_000)}`);
}

/**
 * Stops the whole stack and ends whatever is left of it.
 * @returns how many processes had to be ended beyond an orderly stop
 */
export async function shutDown(home: string): Promise<{ readonly wasRunning: boolean; readonly leftovers: number }> {
  const layout = stackLayout(home);
  const running = liveSupervisor(readStackState(layout.stateFile));
  if (running !== undefined) {
    signal(running.pid, 'SIGTERM');
    const stuck = await waitForExit([running], STOP_TIMEOUT_MS);
    for (const { pid } of stuck) signal(pid, 'SIGKILL');
    await waitForExit(stuck, 5_000);
  }
  const leftovers = await endLeftovers(layout);
  const last = readStackState(layout.stateFile);
  if (last !== undefined) writeStackState(layout.stateFile, stoppedState(last));
  return { wasRunning: running !== undefined, leftovers };
}

/** Keeps what the next start needs (identity and ports) and what `saip status` shows. */
function stoppedState({ id, ports, urls, services }: StackState): StackState {
  return {
    id,
    ports,
    urls,
    services: services.map(({ name, port, url, restarts }) => ({ name, port, url, restarts, state: 'stopped' })),
  };
}
