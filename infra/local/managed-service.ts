import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { DEGRADED_AFTER, STABLE_AFTER_MS, backoffMs } from './backoff.ts';
import { serviceEnvironment } from './environment.ts';
import { openLog } from './logs.ts';
import { endFamily, identify } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { stopOptions } from './service.ts';
import type { ServiceSpec, StackContext } from './service.ts';
import { writeJson } from './state.ts';
import type { ServiceState, ServiceStatus } from './state.ts';

const PROBE_INTERVAL_MS = 100;
const WATCH_INTERVAL_MS = 5_000;
/** Failed health checks in a row after which a running service is shown as unhealthy. */
const UNHEALTHY_AFTER = 3;

export interface ManagedServiceOptions {
  readonly spec: ServiceSpec;
  readonly context: StackContext;
  readonly logger: Logger;
  readonly onChange: () => void;
}

/** Runs one service until it is stopped: start, health check, watch, and start again with back-off after a crash. */
export class ManagedService {
  readonly spec: ServiceSpec;
  readonly #context: StackContext;
  readonly #logger: Logger;
  readonly #onChange: () => void;
  readonly #stopping = new AbortController();
  readonly #healthy = Promise.withResolvers<void>();
  #loop: Promise<void> | undefined;
  #process: ProcessIdentity | undefined;
  #provisioned = false;
  #status: ServiceStatus;

  constructor(options: ManagedServiceOptions) {
    this.spec = options.spec;
    this.#context = options.context;
    this.#logger = options.logger.child({ service: options.spec.name });
    this.#onChange = options.onChange;
    const { port, url } = options.spec;
    this.#status = {
      name: options.spec.name,
      state: 'pending',
      restarts: 0,
      ...(port && { port: options.context.ports[port] }),
      ...(url && { url: url(options.context.ports) }),
    };
  }

  get status(): ServiceStatus {
    return this.#status;
  }

  /** Resolves at the first passed health check. Never rejects: a service that crashes is tried again. */
  whenHealthy(): Promise<void> {
    return this.#healthy.promise;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Ends the process and everything in its session. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#process !== undefined) {
      this.#change({ state: 'stopping' });
      await this.#end(this.#process);
    }
    await this.#loop;
    this.#change({ state: 'stopped', pid: undefined, startTime: undefined, detail: undefined });
  }

  #change(update: Partial<ServiceStatus>): void {
    this.#status = { ...this.#status, ...update };
    this.#onChange();
  }

  async #run(): Promise<void> {
    let crashes = 0;
    while (!this.#stopping.signal.aborted) {
      const startedAt = Date.now();
      const reason = await this.#runOnce().catch((error: unknown) => describe(error));
      if (this.#stopping.signal.aborted) return;
      crashes = Date.now() - startedAt > STABLE_AFTER_MS ? 1 : crashes + 1;
      const wait = backoffMs(crashes);
      this.#logger.error({ reason, crashes, wait }, 'service ended; starting it again');
      this.#change({
        state: crashes >= DEGRADED_AFTER ? 'degraded' : 'backing-off',
        pid: undefined,
        startTime: undefined,
        restarts: this.#status.restarts + 1,
        detail: reason,
      });
      await delay(wait, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  /** One life of the process. @returns why it ended */
  async #runOnce(): Promise<string> {
    this.#change({ state: 'starting', detail: undefined });
    await this.spec.prepare?.(this.#context);
    const started = Date.now();
    const { child, identity } = await this.#spawn();
    const alive = new AbortController();
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, by) => {
        alive.abort();
        resolve(`ended with ${by ?? `exit code ${code}`}`);
      });
    });
    try {
      await this.#becomeHealthy(started, alive.signal);
      await this.#watch(alive.signal);
    } catch (error) {
      if (!alive.signal.aborted) throw error;
    } finally {
      await this.#end(identity);
      this.#process = undefined;
    }
    return ended;
  }

  async #spawn(): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
    const { name } = this.spec;
    const command = await this.spec.command(this.#context);
    const child = spawn(command.file, command.args, {
      cwd: command.cwd ?? this.#context.layout.home,
      env: serviceEnvironment(this.#context, command.env),
      // A session of its own, so that the whole tree below it can be found and ended.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...command.account,
    });
    const log = openLog(this.#context.layout.logs, name);
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once('close', () => log.end());
    await once(child, 'spawn');
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error(`ended at once; see saip logs ${name}`);
    this.#process = identity;
    // Written before anything can fail, for the next supervisor, should this one be killed.
    writeJson(this.#recordFile, identity, 0o600);
    this.#change({ ...identity, startedAt: new Date().toISOString() });
    this.#logger.info({ pid: identity.pid }, 'service started');
    return { child, identity };
  }

  async #becomeHealthy(started: number, alive: AbortSignal): Promise<void> {
    const deadline = started + this.spec.startTimeoutMs;
    const attempt = async (step: (context: StackContext) => Promise<void>): Promise<void> => {
      for (;;) {
        try {
          return await step(this.#context);
        } catch (error) {
          if (alive.aborted || this.#stopping.signal.aborted) throw error;
          if (Date.now() > deadline) throw new Error(`not healthy in time: ${describe(error)}`, { cause: error });
          this.#status = { ...this.#status, detail: describe(error) };
        }
        await delay(PROBE_INTERVAL_MS, undefined, { signal: alive });
      }
    };
    if (this.spec.open) await attempt(this.spec.open);
    await attempt(this.spec.probe);
    if (!this.#provisioned) await this.spec.provision?.(this.#context);
    this.#provisioned = true;
    const readySeconds = (Date.now() - started) / 1000;
    this.#logger.info({ readySeconds }, 'service healthy');
    this.#change({ state: 'healthy', readySeconds, detail: undefined });
    this.#healthy.resolve();
  }

  /** Checks the health until the process ends (then it throws an AbortError). */
  async #watch(alive: AbortSignal): Promise<never> {
    let failures = 0;
    for (;;) {
      await delay(WATCH_INTERVAL_MS, undefined, { signal: alive });
      const problem = await this.spec.probe(this.#context).then(() => undefined, describe);
      if (alive.aborted || this.#stopping.signal.aborted) continue;
      failures = problem === undefined ? 0 : failures + 1;
      const state: ServiceState = failures >= UNHEALTHY_AFTER ? 'unhealthy' : 'healthy';
      if (state !== this.#status.state) {
        this.#logger.warn({ state, problem }, 'health changed');
        this.#change({ state, detail: problem });
      }
    }
  }

  async #end(leader: ProcessIdentity): Promise<void> {
    await endFamily(leader, stopOptions(this.spec));
    rmSync(this.#recordFile, { force: true });
  }

  get #recordFile(): string {
    return join(this.#context.layout.run, `${this.spec.name}.json`);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch() says only "fetch failed"; the reason is in its cause.
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`;
}
