import { isSaipError } from '../../contracts/errors.ts';
import type { Denial, RequestContext } from '../http/route.ts';
import type { Inferred } from './infer.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { HeaderSink, InferenceGuard, Servable } from './guard/index.ts';
import type { InferenceMetrics } from './metrics.ts';
import type { InferenceRecorder } from './record.ts';

export interface InferenceKeepers {
  readonly metrics: InferenceMetrics;
  readonly recorder: InferenceRecorder;
  readonly guard: InferenceGuard;
}

/** Who asks what, and where the headers of the answer are set. */
export interface InferenceContext extends Pick<RequestContext, 'caller' | 'traceId'> {
  readonly request: Pick<RequestContext['request'], 'path'>;
  readonly response?: HeaderSink;
}

/**
 * Lets a model answer a request: measured, and recorded before the answer, also where it is an error.
 * @throws what `find` and `work` throw; AuditError AUDIT_UNAVAILABLE, and then nothing is answered
 */
export async function recorded<T>(
  { metrics, recorder, guard }: InferenceKeepers,
  { caller, traceId, request, response: answer }: InferenceContext,
  find: () => LoadedModel,
  work: (model: Servable) => Promise<Inferred<T>>,
): Promise<T> {
  const startedAt = performance.now();
  const event = { actor: caller.sub, apiKey: caller.scope?.id, traceId, asked: request.path };
  let model: LoadedModel | undefined;
  try {
    model = find();
    const visit = guard.admit(caller, model, answer);
    const { response, timings, inputDigest, output } = await work(visit.model);
    const latency = performance.now() - startedAt;
    await recorder.record({ ...event, model, inputDigest, output, latency, guard: visit.note });
    metrics.succeeded(model, latency / 1000, timings);
    return visit.answered(response);
  } catch (error) {
    const code = isSaipError(error) ? error.code : 'INTERNAL';
    const latency = performance.now() - startedAt;
    metrics.failed(model, code, latency / 1000);
    if (code !== 'AUDIT_UNAVAILABLE') {
      await recorder.record({ ...event, model, latency, error: code });
    }
    throw error;
  }
}

/**
 * Keeps a record of an inference that policy refused, like that of any other outcome.
 * @throws AuditError AUDIT_UNAVAILABLE
 */
export async function recordDenial(
  { metrics, recorder }: InferenceKeepers,
  { caller, traceId, asked, rule }: Denial,
): Promise<void> {
  metrics.failed(undefined, 'FORBIDDEN', 0);
  await recorder.record({ actor: caller.sub, apiKey: caller.scope?.id, traceId, asked, latency: 0, deniedBy: rule });
}
