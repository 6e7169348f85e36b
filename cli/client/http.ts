import type { z } from 'zod';
import { Problem } from '../../contracts/api.ts';
import { CliError } from '../errors.ts';
import { EXIT, exitCodeOfStatus } from '../exit-codes.ts';

const REQUEST_TIMEOUT_MS = 30_000;

/** `fetch` with a deadline for the whole answer. @throws CliError `unreachable` where no answer comes. */
export async function fetchApi(url: URL, init: RequestInit = {}, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Response> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
  try {
    return await fetch(url, { ...init, signal });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw unreachable(url, error);
  }
}

export function unreachable(url: URL, cause?: unknown): CliError {
  return new CliError(`no answer from ${url.origin}${reasonOf(cause)}`, {
    exitCode: EXIT.unreachable,
    hint: 'Start the stack with saip up, or set SAIP_API_URL; saip status shows what runs.',
    cause,
  });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  if (cause.name === 'TimeoutError') return ` within ${String(REQUEST_TIMEOUT_MS / 1000)} s`;
  const inner: unknown = cause.cause;
  return inner instanceof Error && 'code' in inner ? ` (${String(inner.code)})` : '';
}

/** Parses a successful answer. @throws CliError from the problem details of any other. */
export async function readBody<T>(response: Response, schema: z.ZodType<T>): Promise<T> {
  if (!response.ok) throw await problemError(response);
  const parsed = schema.safeParse(await response.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  throw new CliError(`${new URL(response.url).pathname} answered in a form this version does not know`, {
    hint: 'Use the saip of the same release as the server.',
    cause: parsed.error,
  });
}

/** The error that an answer of status 400 or more stands for (RFC 9457 where the server speaks it). */
export async function problemError(response: Response): Promise<CliError> {
  const text = await response.text().catch(() => '');
  const problem = Problem.safeParse(parseJson(text));
  const exitCode = exitCodeOfStatus(response.status);
  if (!problem.success) {
    return new CliError(`${String(response.status)} ${response.statusText} from ${response.url}`, { exitCode });
  }
  const { detail, hint, code, traceId, errors = [] } = problem.data;
  if (errors.length > 1 && errors.every(({ message }) => detail.includes(message))) {
    const details = errors.map(({ field, message }) => `${field}: ${message}`);
    return new CliError(`${String(errors.length)} problems`, { exitCode, hint, code, traceId, details });
  }
  // An error about one field repeats the detail; only its name is news.
  const fields = errors
    .filter(({ field, message }) => detail !== `${field}: ${message}`)
    .map(({ field, message }) => (message === detail ? field : `${field}: ${message}`));
  const message = fields.length === 0 ? detail : `${detail} (${fields.join('; ')})`;
  return new CliError(message, { exitCode, hint, code, traceId });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
