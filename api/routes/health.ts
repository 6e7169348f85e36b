import { Registry } from 'prom-client';
import { Liveness, Readiness } from '../../contracts/api.ts';
import { isSaipError } from '../../contracts/errors.ts';
import { prefersOpenMetrics } from '../http/metrics-format.ts';
import { route, type Route } from '../http/route.ts';

export interface HealthCheck {
  /** Rejects when the thing is not usable. */
  readonly check: () => Promise<void>;
  /** Without it the API goes on with a part of its work: predictions do not wait for Temporal. */
  readonly optional?: boolean;
}

export interface HealthRoutesOptions {
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** Metrics in the Prometheus text format, of every process of this API. */
  readonly scrape: () => Promise<string>;
  /** The same as OpenMetrics, with exemplars; absent where several processes are one API. */
  readonly openMetrics?: (() => Promise<string>) | undefined;
  /** Lets anybody who reaches the port read the metrics; otherwise a token with `metrics:read` is asked for. */
  readonly metricsOpen: boolean;
}

const tag = 'Operations';
const CHECK_TIMEOUT_MS = 3_000;

export function healthRoutes({ checks, scrape, openMetrics, metricsOpen }: HealthRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path: '/health/live',
      operationId: 'getLiveness',
      tag,
      summary: 'Whether the process runs',
      access: 'public',
      success: { status: 200, description: 'It does.', schema: Liveness },
      handler: () => ({ status: 'live' as const }),
    }),
    route({
      method: 'get',
      path: '/health/ready',
      operationId: 'getReadiness',
      tag,
      summary: 'Whether everything the API needs answers',
      access: 'public',
      success: {
        status: 200,
        description: 'Ready; 503 with the same body when not.',
        schema: Readiness,
        otherStatus: 503,
      },
      handler: async ({ response }) => {
        const results = await Promise.all(
          Object.entries(checks).map(async ([name, { check }]) => [name, await outcome(check)] as const),
        );
        const ready = results.every(([name, { ok }]) => ok || checks[name]?.optional === true);
        if (!ready) response.status(503);
        return { status: ready ? ('ready' as const) : ('not-ready' as const), checks: Object.fromEntries(results) };
      },
    }),
    route({
      method: 'get',
      path: '/metrics',
      operationId: 'getMetrics',
      tag,
      summary: 'Metrics in the Prometheus text format, or as OpenMetrics with exemplars',
      access: metricsOpen ? 'public' : 'metrics:read',
      success: { status: 200, description: 'The metrics.', mediaType: 'text/plain' },
      handler: async ({ request, response }) => {
        const open = prefersOpenMetrics(request.get('accept')) ? openMetrics : undefined;
        response.vary('Accept');
        response.set('Content-Type', open ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE);
        response.send(await (open ?? scrape)());
      },
    }),
  ];
}

async function outcome(check: () => Promise<void>): Promise<{ ok: boolean; detail?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('no answer in time'));
    }, CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), late]);
    return { ok: true };
  } catch (error) {
    // Anybody may read this: a code, never a message with an address in it.
    return { ok: false, detail: isSaipError(error) ? error.code : 'unreachable' };
  } finally {
    clearTimeout(timer);
  }
}
