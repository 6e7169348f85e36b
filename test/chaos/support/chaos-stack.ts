import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { path } from '../../../cli/client/index.ts';
import { WorkflowDetail, WorkflowStarted } from '../../../contracts/api.ts';
import type { TrainRequest } from '../../../contracts/train-register-deploy.ts';
import { launch, reportStack, waitUntilHealthy } from '../../../infra/local/index.ts';
import type { ServiceReport } from '../../../infra/local/index.ts';
import { familyOf, identify, signal } from '../../../infra/local/processes.ts';
import { createTestHome, startStack } from '../../support/stack-process.ts';
import { FullStack } from '../../workflows/support/full-stack.ts';

const FULL_HOME = 'SAIP_TEST_FULL_HOME';
const POLL_MS = 100;
/** How long a run may take with everything that happens to it. */
const RUN_MS = 15 * 60_000;
const HEALTHY_MS = 5 * 60_000;

export type Training = z.input<typeof TrainRequest>;

/** A whole stack that is there to be broken, and a client that lets nothing stop it. */
export class ChaosStack {
  readonly full: FullStack;
  /** Where processes of the stack put temporary files; shared with others only where the stack was given. */
  readonly temporary: string;
  /** Ids of every process that was killed, children included. */
  readonly killed = new Set<number>();

  /** Artifacts that were changed on purpose. */
  readonly damaged = new Set<string>();

  private constructor(full: FullStack, temporary: string) {
    this.full = full;
    this.temporary = temporary;
  }

  static async start(): Promise<ChaosStack> {
    const given = process.env[FULL_HOME];
    const home = given ?? createTestHome();
    const temporary = join(home, 'tmp');
    mkdirSync(temporary, { recursive: true });
    if (given === undefined) {
      // Supervised processes inherit it.
      process.env['TMPDIR'] = temporary;
      await startStack(home, []);
    }
    return new ChaosStack(await FullStack.at(home, given === undefined), temporary);
  }

  get home(): string {
    return this.full.home;
  }

  get artifacts(): string {
    return join(this.home, 'data', 'artifacts');
  }

  stop(): Promise<void> {
    return this.full.stop();
  }

  /** Starts a training, and asks again under the same key until it is told that it was started. */
  async train(training: Training, key: string): Promise<string> {
    const options = { role: 'trainer' as const, headers: { 'Idempotency-Key': key } };
    const { workflowId } = await this.persistently(() =>
      this.full.api.post('/v1/workflows/train-register-deploy', training, WorkflowStarted, options),
    );
    return workflowId;
  }

  async cancel(id: string): Promise<void> {
    await this.persistently(() => this.full.cancel(id, 'chaos'));
  }

  /** What the API says about a run; undefined while it says nothing. */
  async glance(id: string): Promise<WorkflowDetail | undefined> {
    try {
      return await this.full.api.get(path`/v1/workflows/${id}`, WorkflowDetail, { role: 'viewer' });
    } catch {
      return undefined;
    }
  }

  /** Looks until `reached`, however long the API is away. @throws Error when the run takes for ever */
  async watch(id: string, reached: (detail: WorkflowDetail) => boolean): Promise<WorkflowDetail> {
    const deadline = Date.now() + RUN_MS;
    let last: WorkflowDetail | undefined;
    while (Date.now() < deadline) {
      const detail = await this.glance(id);
      if (detail !== undefined && reached(detail)) return detail;
      last = detail ?? last;
      await delay(POLL_MS);
    }
    throw new Error(`${id} did not get there: ${JSON.stringify(last?.progress)} ${JSON.stringify(this.services())}`);
  }

  /** The end of a run, whichever it is. */
  ended(id: string): Promise<WorkflowDetail> {
    return this.watch(id, ({ status }) => status !== 'running' && status !== 'paused');
  }

  /** Waits until the stage runs, or is over. */
  reached(id: string, stage: string): Promise<WorkflowDetail> {
    return this.watch(id, ({ status, progress }) => {
      const found = progress?.stages.find(({ name }) => name === stage);
      return status !== 'running' || (found !== undefined && found.status !== 'pending');
    });
  }

  /** What `saip status --json` prints. */
  services(): readonly ServiceReport[] {
    return reportStack(this.home).services;
  }

  /** The service's process; waits where it is being started again. */
  async pid(name: string): Promise<number> {
    for (;;) {
      const pid = this.services().find((service) => service.name === name)?.pid;
      if (pid !== undefined) return pid;
      await delay(POLL_MS);
    }
  }

  /** Kills a process, and remembers everything that dies with it. */
  kill(pid: number): void {
    const identity = identify(pid);
    for (const member of identity === undefined ? [] : familyOf(identity)) this.killed.add(member.pid);
    signal(pid, 'SIGKILL');
  }

  /** Resolves once every service is healthy again; starts at once what waits to be started again. */
  async healthy(): Promise<void> {
    const { names } = await launch({ home: this.home, only: [] });
    const { outcome, services } = await waitUntilHealthy({ home: this.home, names, timeoutMs: HEALTHY_MS });
    if (outcome !== 'healthy') throw new Error(`the stack is ${outcome}: ${JSON.stringify(services)}`);
  }

  /** Tries again while a server is away. @throws Error when it takes for ever */
  async persistently<T>(work: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + RUN_MS;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (Date.now() > deadline || !isPassing(error)) throw error;
        await delay(250);
      }
    }
  }
}

/** No answer, or one that says "later" (also on the way to a token). */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return code === 'undefined' || code === '' || /UNAVAILABLE|RATE_LIMITED/.test(code);
}
