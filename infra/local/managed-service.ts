import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { DEGRADED_AFTER, STABLE_AFTER_MS, backoffMs } from './backoff.ts';
import { startProcess } from './service-process.ts';
import type { ServiceProcess } from './service-process.ts';
import type { ServiceSpec, StackContext } from './service.ts';
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
  #wake = new AbortController();
  /** In a row. */
  #crashes = 0;
  readonly #healthy = Promise.withResolvers<void>();
  #loop: Promise<void> | undefined;
  #process: ServiceProcess | undefined;
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

  /** Tries again at once if it is waiting to be started again. */
  retry(): void {
    this.#crashes = 0;
    this.#wake.abort();
  }

  /** Ends the process and everything in its session. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#process !== undefined) {
      this.#change({ state: 'stopping' });
      await this.#process.end();
    }
    await this.#loop;
    this.#change({ state: 'stopped', pid: undefined, startTime: undefined, detail: undefined });
  }

  #change(update: Partial<ServiceStatus>): void {
    this.#status = { ...this.#status, ...update };
    this.#onChange();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const startedAt = Date.now();
      const reason = await this.#runOnce().catch((error: unknown) => describe(error));
      if (this.#stopping.signal.aborted) return;
      this.#crashes = Date.now() - startedAt > STABLE_AFTER_MS ? 1 : this.#crashes + 1;
      const wait = backoffMs(this.#crashes);
      this.#logger.error({ reason, crashes: this.#crashes, wait }, 'service ended; starting it again');
      this.#change({
        state: this.#crashes >= DEGRADED_AFTER ? 'degraded' : 'backing-off',
        pid: undefined,
        startTime: undefined,
        restarts: this.#status.restarts + 1,
        detail: reason,
      });
      this.#wake = new AbortController();
      const signal = AbortSignal.any([this.#stopping.signal, this.#wake.signal]);
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One life of the process. @returns why it ended */
  async #runOnce(): Promise<string> {
    this.#change({ state: 'starting', detail: undefined });
    await this.spec.prepare?.(this.#context);
    const started = Date.now();
    const current = await startProcess(this.spec, this.#context);
    this.#process = current;
    this.#change({ ...current.identity, startedAt: new Date(started).toISOString() });
    this.#logger.info({ pid: current.identity.pid }, 'service started');
    try {
      await this.#becomeHealthy(started, current.ended);
      await this.#watch(current.ended);
    } catch (error) {
      if (!current.ended.aborted) throw error;
    } finally {
      await current.end();
      this.#process = undefined;
    }
    return current.reason;
  }

  async #becomeHealthy(started: number, ended: AbortSignal): Promise<void> {
    const deadline = started + this.spec.startTimeoutMs;
    const attempt = async (step: (context: StackContext) => Promise<void>): Promise<void> => {
      for (;;) {
        try {
          return await step(this.#context);
        } catch (error) {
          if (ended.aborted || this.#stopping.signal.aborted) throw error;
          if (Date.now() > deadline) throw new Error(`not healthy in time: ${describe(error)}`, { cause: error });
          this.#status = { ...this.#status, detail: describe(error) };
        }
        await delay(PROBE_INTERVAL_MS, undefined, { signal: ended });
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
  async #watch(ended: AbortSignal): Promise<never> {
    let failures = 0;
    for (;;) {
      await delay(WATCH_INTERVAL_MS, undefined, { signal: ended });
      const problem = await this.spec.probe(this.#context).then(() => undefined, describe);
      if (ended.aborted || this.#stopping.signal.aborted) continue;
      failures = problem === undefined ? 0 : failures + 1;
      const state: ServiceState = failures >= UNHEALTHY_AFTER ? 'unhealthy' : 'healthy';
      if (state !== this.#status.state) {
        this.#logger.warn({ state, problem }, 'health changed');
        this.#change({ state, detail: problem });
      }
    }
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch() says only "fetch failed"; the reason is in its cause.
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`;
}
