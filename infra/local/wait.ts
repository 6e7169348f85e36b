import { setTimeout as delay } from 'node:timers/promises';
import { liveSupervisor } from './launch.ts';
import { stackLayout } from './layout.ts';
import { readStackState } from './state.ts';
import type { ServiceStatus } from './state.ts';

const POLL_MS = 100;
/** A waiting user hears something at least this often. */
const REMINDER_MS = 8_000;

export interface WaitOptions {
  readonly home: string;
  /** Services to wait for. */
  readonly names: readonly string[];
  readonly timeoutMs: number;
  readonly onHealthy?: (service: ServiceStatus) => void;
  /** A service ended before it was healthy; `detail` says why. It is started again by itself. */
  readonly onRestart?: (service: ServiceStatus) => void;
  /** Nothing happened for some seconds. */
  readonly onWaiting?: (services: readonly ServiceStatus[], seconds: number) => void;
}

/** `degraded`: a service crashed again and again, so that waiting is no use. With every outcome but `healthy` come the
 * services that are not. */
export interface WaitResult {
  readonly outcome: 'healthy' | 'degraded' | 'supervisor-gone' | 'timeout';
  readonly services: readonly ServiceStatus[];
}

/** Watches a stack until every named service is healthy, and reports each as it gets there. */
export async function waitUntilHealthy(options: WaitOptions): Promise<WaitResult> {
  const { stateFile } = stackLayout(options.home);
  const started = Date.now();
  const healthy = new Set<string>();
  const restarts = new Map<string, number>();
  /** Only crashes since the waiting began count: what crashed before may have been mended. */
  const crashed = new Set<string>();
  let lastNews = started;
  for (;;) {
    const state = readStackState(stateFile);
    const services = (state?.services ?? []).filter(({ name }) => options.names.includes(name));
    for (const service of services.filter(({ name }) => !healthy.has(name))) {
      const restarted = service.restarts > (restarts.get(service.name) ?? service.restarts);
      if (restarted) crashed.add(service.name);
      restarts.set(service.name, service.restarts);
      if (service.state === 'healthy') {
        healthy.add(service.name);
        options.onHealthy?.(service);
      } else if (restarted) {
        options.onRestart?.(service);
      } else continue;
      lastNews = Date.now();
    }
    if (healthy.size === options.names.length) return { outcome: 'healthy', services };
    const missing = services.filter(({ name }) => !healthy.has(name));
    if (liveSupervisor(state) === undefined) return { outcome: 'supervisor-gone', services: missing };
    if (missing.some((service) => service.state === 'degraded' && crashed.has(service.name))) {
      return { outcome: 'degraded', services: missing };
    }
    if (Date.now() - started > options.timeoutMs) return { outcome: 'timeout', services: missing };
    if (Date.now() - lastNews > REMINDER_MS) {
      lastNews = Date.now();
      const waiting = missing.filter(({ state: of }) => of !== 'pending');
      options.onWaiting?.(waiting, (Date.now() - started) / 1000);
    }
    await delay(POLL_MS);
  }
}
