export type { FinishedSpan } from './finished-span.ts';
export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
export { createMetricsRegistry } from './metrics.ts';
export { openMetrics } from './open-metrics.ts';
export { TracedHistogram } from './traced-histogram.ts';
export { startTelemetry, type Telemetry, type TelemetryOptions } from './tracing.ts';
