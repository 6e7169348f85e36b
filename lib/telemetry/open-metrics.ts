import {
  Registry,
  type Metric,
  type OpenMetricsContentType,
  type MetricObjectWithValues,
  type MetricValue,
} from 'prom-client';

/** What a registry exports, in the form of a metric that another one can print. */
type Snapshot = MetricObjectWithValues<MetricValue<string>> & { get: () => Promise<unknown> };

/**
 * The metrics of `registry` in the OpenMetrics text format 1.0.0, which can hold exemplars. A copy is printed: prom-client
 * renames the counters that it prints in this format, for good.
 *
 * A counter of OpenMetrics ends in `_total`. Those that are known under another name to the dashboards of Triton keep it,
 * as metrics of unknown type, so that a server which asks for this format stores the same series as one that does not.
 */
export async function openMetrics(registry: Registry): Promise<string> {
  const copy = new Registry<OpenMetricsContentType>();
  copy.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of await registry.getMetricsAsJSON()) copy.registerMetric(snapshot(metric) as unknown as Metric);
  return copy.metrics();
}

function snapshot(metric: MetricObjectWithValues<MetricValue<string>>): Snapshot {
  const keepsName = String(metric.type) === 'counter' && !metric.name.endsWith('_total');
  const copy: Snapshot = { ...metric, get: () => Promise.resolve(copy) };
  return keepsName ? Object.assign(copy, { type: 'unknown' }) : copy;
}
