import { Registry, collectDefaultMetrics } from 'prom-client';

/** A registry of its own, with the usual metrics of the process (memory, CPU, event loop, garbage collection). */
export function createMetricsRegistry(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}
