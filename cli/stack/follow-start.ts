import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceStatus, StackState } from '../../infra/local/index.ts';

const POLL_MS = 100;
/** A waiting user hears something at least this often. */
const REMINDER_MS = 8_000;

export interface FollowOptions {
  readonly read: () => StackState | undefined;
  readonly isAlive: () => boolean;
  readonly names: readonly string[];
  readonly onHealthy: (service: ServiceStatus) => void;
  readonly onRestart: (service: ServiceStatus) => void;
  readonly onWaiting: (services: readonly ServiceStatus[], seconds: number) => void;
  readonly timeoutMs: number;
}

/** `supervisor-gone` and `timeout` come with the services that are not healthy. */
export interface FollowResult {
  readonly outcome: 'healthy' | 'supervisor-gone' | 'timeout';
  readonly services: readonly ServiceStatus[];
}

/** Watches the stack until every named service is healthy, reporting each as it gets there. */
export async function followStart(options: FollowOptions): Promise<FollowResult> {
  const started = Date.now();
  const reported = new Set<string>();
  const restarts = new Map<string, number>();
  let lastNews = started;
  for (;;) {
    const services = (options.read()?.services ?? []).filter(({ name }) => options.names.includes(name));
    for (const service of services) {
      if (service.state === 'healthy' && !reported.has(service.name)) {
        reported.add(service.name);
        options.onHealthy(service);
        lastNews = Date.now();
      }
      if (service.restarts > (restarts.get(service.name) ?? 0) && !reported.has(service.name)) {
        options.onRestart(service);
        lastNews = Date.now();
      }
      restarts.set(service.name, service.restarts);
    }
    if (reported.size === options.names.length) return { outcome: 'healthy', services };
    const missing = services.filter(({ name }) => !reported.has(name));
    if (!options.isAlive()) return { outcome: 'supervisor-gone', services: missing };
    if (Date.now() - started > options.timeoutMs) return { outcome: 'timeout', services: missing };
    if (Date.now() - lastNews > REMINDER_MS) {
      options.onWaiting(
        missing.filter(({ state }) => state !== 'pending'),
        (Date.now() - started) / 1000,
      );
      lastNews = Date.now();
    }
    await delay(POLL_MS);
  }
}
