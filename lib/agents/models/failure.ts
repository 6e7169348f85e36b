import { isSaipError } from '../../../contracts/errors.ts';
import { AgentError } from '../errors.ts';

/**
 * A failed model call as a typed error. Only the status goes on: what a server writes is not trusted, and may repeat a
 * part of the key. An error that is typed already, or an abort, passes unchanged.
 */
export function llmFailure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (isSaipError(error) || signal?.aborted === true) return error;
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
  if (typeof status !== 'number') {
    return new AgentError('LLM_UNAVAILABLE', 'The language model server gave no usable answer.');
  }
  if (status === 408 || status === 409 || status === 429 || status >= 500) {
    return new AgentError('LLM_UNAVAILABLE', `The language model server answered ${status}.`);
  }
  return new AgentError('LLM_REJECTED', `The language model server refused the request: ${status}.`);
}
