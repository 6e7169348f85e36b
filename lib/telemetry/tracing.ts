import type { SaipConfig } from '../config/index.ts';
import { createSpanRecorder, type FinishedSpan } from './finished-span.ts';
import { SpanIds } from './span-ids.ts';

export interface TelemetryOptions {
  /** `service.name`, unless `OTEL_SERVICE_NAME` says another. */
  readonly service?: string;
  readonly config: SaipConfig;
}

export interface Telemetry {
  /** Whether spans go anywhere. */
  readonly enabled: boolean;
  /** Takes over a span that ended elsewhere, with its ids. */
  recordSpan(span: FinishedSpan): void;
  /** Sends what is left; call it last. */
  shutdown(): Promise<void>;
}

const DISABLED: Telemetry = { enabled: false, recordSpan: () => undefined, shutdown: () => Promise.resolve() };

/**
 * Starts OpenTelemetry when the standard variables ask for traces (docs/configuration.md); otherwise nothing of it is
 * loaded, and the API's calls cost next to nothing. Exporters, sampling and limits come from the same variables.
 */
export async function startTelemetry({ service, config }: TelemetryOptions): Promise<Telemetry> {
  const { env } = process;
  if (!tracesAskedFor(env)) return DISABLED;
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const idGenerator = new SpanIds();
  const sdk = new NodeSDK({
    serviceName: env['OTEL_SERVICE_NAME'] || (service ?? `saip-${config.process}`),
    idGenerator,
    // Metrics are scraped at /metrics and logs are lines on standard output; exporting them too has to be asked for.
    ...(env['OTEL_METRICS_EXPORTER'] ? {} : { metricReaders: [] }),
    ...(env['OTEL_LOGS_EXPORTER'] ? {} : { logRecordProcessors: [] }),
  });
  sdk.start();
  return { enabled: true, recordSpan: createSpanRecorder(idGenerator), shutdown: () => sdk.shutdown() };
}

/** OpenTelemetry specification, "Environment Variable Specification". */
function tracesAskedFor(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return false;
  const exporter = env['OTEL_TRACES_EXPORTER']?.trim();
  if (exporter) return exporter !== 'none';
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
}
