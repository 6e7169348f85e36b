import { isSpanContextValid, trace } from '@opentelemetry/api';
import pino from 'pino';
import { redactFields, redactText } from './redact.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** Default `info`; a process passes `config.logLevel`. */
  readonly level?: pino.LevelWithSilent;
  /** Default: standard output. */
  readonly destination?: pino.DestinationStream;
}

/**
 * A logger of JSON lines: level by name, time in ISO 8601, the trace a line belongs to, and no secrets: fields are
 * censored by name, text by form.
 *
 * @example
 * const log = createLogger('worker-cpu', { level: config.logLevel });
 * log.info({ model }, 'registered');
 */
export function createLogger(name: string, options: LoggerOptions = {}): pino.Logger {
  return pino(
    {
      name,
      level: options.level ?? 'info',
      timestamp: pino.stdTimeFunctions.isoTime,
      base: { pid: process.pid },
      mixin: activeTrace,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactFields(fields) as Record<string, unknown>,
      },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
      hooks: { streamWrite: redactText },
    },
    // Lines are written before the call returns: a process that dies has said why.
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** Field names of the OpenTelemetry log data model for formats other than its own. */
function activeTrace(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span !== undefined && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
