import pRetry from 'p-retry';
import { z } from 'zod';
import { MlflowError } from './errors.ts';

export interface TransportOptions {
  /** Base URL of the server. */
  readonly url: string;
  /** Ends requests and waits when the caller gives up. */
  readonly signal?: AbortSignal;
  /** Limit of one request in milliseconds; default 30,000: longer than the slowest answer of a busy server, because a
   * request that is given up too early may still create something. */
  readonly timeoutMs?: number;
  /** Attempts after the first; default 3, within about 2 s. */
  readonly retries?: number;
  readonly fetch?: typeof fetch;
}

export interface RequestOptions {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Below the server's URL. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: Blob;
}

const Refusal = z.object({ error_code: z.string().optional(), message: z.string().optional() });
/** Statuses of a server, or of a proxy before it, that may answer later. */
const TRANSIENT_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);

/** HTTP below the client: time limits, retries, and what failures mean. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #fetch: typeof fetch;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? fetch;
  }

  /** The same transport for a caller with a signal of its own. */
  with(signal: AbortSignal): Transport {
    return new Transport({ ...this.#options, signal });
  }

  /**
   * Repeats `work` while MLflow is not available. For work that may be done twice; what creates something belongs in
   * one piece with the search for what an earlier attempt created.
   */
  retrying<T>(work: () => Promise<T>): Promise<T> {
    return pRetry(work, {
      retries: this.#options.retries ?? 3,
      minTimeout: 200,
      maxTimeout: 2000,
      randomize: true,
      signal: this.#options.signal,
      shouldRetry: ({ error }) => error instanceof MlflowError && error.code === 'MLFLOW_UNAVAILABLE',
    });
  }

  /**
   * One request without retries; the answer is JSON in the form of `schema`.
   * @throws MlflowError; the signal's reason when the caller gave up
   */
  async json<T>(schema: z.ZodType<T>, request: RequestOptions): Promise<T> {
    const response = await this.send(request);
    const parsed = schema.safeParse(await this.#received(request, () => response.json()));
    if (parsed.success) return parsed.data;
    throw new MlflowError('MLFLOW_REJECTED', `MLflow answered ${nameOf(request)} in an unexpected form.`, {
      cause: parsed.error,
    });
  }

  /** One request without retries; the answer's body is not read. @throws as {@link json} */
  async send(request: RequestOptions): Promise<Response> {
    const url = new URL(`${this.#options.url}${request.path}`);
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    const response = await this.#received(request, () =>
      this.#fetch(url, {
        method: request.method,
        redirect: 'error',
        signal: this.#limit(),
        ...(request.json === undefined
          ? { body: request.body }
          : { body: JSON.stringify(request.json), headers: { 'content-type': 'application/json' } }),
      }),
    );
    if (response.ok) return response;
    throw await refusal(request, response);
  }

  /** Reads a whole body, with its failures named. */
  async bytes(request: RequestOptions): Promise<Buffer> {
    const response = await this.send(request);
    return Buffer.from(await this.#received(request, () => response.arrayBuffer()));
  }

  #limit(): AbortSignal {
    const limit = AbortSignal.timeout(this.#options.timeoutMs ?? 30_000);
    return this.#options.signal === undefined ? limit : AbortSignal.any([limit, this.#options.signal]);
  }

  async #received<T>(request: RequestOptions, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (cause) {
      this.#options.signal?.throwIfAborted();
      throw new MlflowError('MLFLOW_UNAVAILABLE', `MLflow did not answer ${nameOf(request)}.`, { cause });
    }
  }
}

async function refusal(request: RequestOptions, response: Response): Promise<MlflowError> {
  const text = await response.text().catch(() => '');
  const { error_code: errorCode, message } = parseRefusal(text);
  // Some refusals carry the whole SQL statement after the first line.
  const why = (message ?? text).split('\n', 1)[0]?.slice(0, 500) ?? '';
  const unavailable = TRANSIENT_STATUS.has(response.status);
  return new MlflowError(
    unavailable ? 'MLFLOW_UNAVAILABLE' : 'MLFLOW_REJECTED',
    `MLflow refused ${nameOf(request)} with ${[response.status, errorCode].filter(Boolean).join(' ')}: ${why}`,
    { errorCode },
  );
}

function parseRefusal(text: string): z.infer<typeof Refusal> {
  try {
    return Refusal.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

function nameOf(request: RequestOptions): string {
  return `${request.method} ${request.path}`;
}
