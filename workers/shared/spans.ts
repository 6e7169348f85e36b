import type { OpenTelemetrySinks } from '@temporalio/interceptors-opentelemetry/lib/workflow/definitions.js';
import {
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { Telemetry } from '../../lib/telemetry/index.ts';

/**
 * Takes the workflows' spans out of their isolate. The sink must exist with telemetry off too, because the interceptors
 * that write to it are in every bundle.
 */
export function spanSink(telemetry: Pick<Telemetry, 'enabled' | 'recordSpan'>): InjectedSinks<OpenTelemetrySinks> {
  return {
    exporter: {
      export: {
        fn: ({ workflowId, runId, workflowType }, spans) => {
          if (!telemetry.enabled) return;
          for (const span of spans) {
            const attributes = { ...span.attributes, workflowId, runId, workflowType };
            telemetry.recordSpan({ ...span, attributes });
          }
        },
      },
    },
  };
}

/** Spans of activities, children of the span that scheduled them. */
export const activitySpans: ActivityInterceptorsFactory = (context) => ({
  inbound: new OpenTelemetryActivityInboundInterceptor(context),
  outbound: new OpenTelemetryActivityOutboundInterceptor(context),
});
