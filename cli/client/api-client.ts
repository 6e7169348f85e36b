import type { z } from 'zod';
import type { Role } from '../../contracts/roles.ts';
import { connect } from './connection.ts';
import type { Connection } from './connection.ts';
import { fetchApi, problemError, readBody } from './http.ts';

const DOWNLOAD_TIMEOUT_MS = 600_000;

type Query = Readonly<Record<string, string | number | undefined>>;

export interface CallOptions {
  /** The local client whose token the request carries. */
  readonly role: Role;
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest time until the whole answer is there, for work that takes long. */
  readonly timeoutMs?: number;
}

export interface FileBody {
  readonly bytes: ReadableStream<Uint8Array>;
  /** Media type. */
  readonly type: string;
}

/** Typed calls to the platform's HTTP API. Every method throws {@link CliError}. */
export class ApiClient {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  static async open(env: NodeJS.ProcessEnv): Promise<ApiClient> {
    return new ApiClient(await connect(env));
  }

  url(path: string, query: Query = {}): URL {
    const url = new URL(path, this.connection.apiUrl);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  async get<T>(path: string, schema: z.ZodType<T>, options: CallOptions): Promise<T> {
    return readBody(await this.#send('GET', path, undefined, options), schema);
  }

  async post<T>(path: string, body: unknown, schema: z.ZodType<T>, options: CallOptions): Promise<T> {
    return readBody(await this.#send('POST', path, body, options), schema);
  }

  /** Sends JSON text as it is: what `JSON.parse` would make of its long integers is not what it says. */
  async postText<T>(path: string, json: string, schema: z.ZodType<T>, options: CallOptions): Promise<T> {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: json };
    return readBody(await this.#fetch(path, init, options), schema);
  }

  /** Sends a file as it is read. */
  async upload<T>(path: string, file: FileBody, schema: z.ZodType<T>, options: CallOptions): Promise<T> {
    const init = { method: 'POST', headers: { 'content-type': file.type }, body: file.bytes, duplex: 'half' as const };
    return readBody(await this.#fetch(path, init, { timeoutMs: DOWNLOAD_TIMEOUT_MS, ...options }), schema);
  }

  /** Sends a file as it is read, and gives the answer as it comes, while the file is still sent. */
  async exchange(path: string, file: FileBody, options: CallOptions): Promise<ReadableStream<Uint8Array>> {
    const init = { method: 'POST', headers: { 'content-type': file.type }, body: file.bytes, duplex: 'half' as const };
    const response = await this.#fetch(path, init, { timeoutMs: DOWNLOAD_TIMEOUT_MS, ...options });
    if (!response.ok || response.body === null) throw await problemError(response);
    return response.body;
  }

  async delete(path: string, options: CallOptions): Promise<void> {
    const response = await this.#send('DELETE', path, undefined, options);
    if (!response.ok) throw await problemError(response);
  }

  /** The body of an answer as it comes, for files that are not held in memory. */
  async download(path: string, options: CallOptions): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#send('GET', path, undefined, options, DOWNLOAD_TIMEOUT_MS);
    if (!response.ok || response.body === null) throw await problemError(response);
    return response.body;
  }

  #send(method: string, path: string, body: unknown, options: CallOptions, timeoutMs?: number): Promise<Response> {
    const headers = body === undefined ? undefined : { 'content-type': 'application/json' };
    const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    return this.#fetch(path, init, { timeoutMs, ...options });
  }

  async #fetch(path: string, init: RequestInit, options: CallOptions): Promise<Response> {
    const token = await this.connection.tokens.token(options.role);
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${token}`,
      ...(init.headers as Record<string, string> | undefined),
      ...options.headers,
    };
    return fetchApi(this.url(path, options.query), { ...init, headers }, options.timeoutMs);
  }
}

/** A path from a template and names that are escaped: ``path`/v1/models/${name}` ``. */
export function path(parts: TemplateStringsArray, ...names: string[]): string {
  return parts.reduce((whole, part, index) => whole + encodeURIComponent(names[index - 1] ?? '') + part);
}
