import { createHash } from 'node:crypto';
import pRetry, { type Options as RetryOptions } from 'p-retry';
import { BaoError } from './errors.ts';
import { describeFailure, toBaoError } from './failure.ts';
import { parsePublicKeys, type TransitPublicKeys } from './public-keys.ts';
import {
  DatabaseLoginResponse,
  DatakeyResponse,
  DecryptResponse,
  HmacResponse,
  KvResponse,
  SignResponse,
  TokenResponse,
} from './responses.ts';
import { SessionHolder } from './session-holder.ts';
import { isKnown, newVault, type VaultClient } from './session.ts';

type Retry = Pick<RetryOptions, 'retries' | 'minTimeout' | 'maxTimeout' | 'factor'>;

export interface BaoClientOptions {
  /** Base URL, e.g. `http://127.0.0.1:8200`. */
  readonly address: string;
  /** JSON `{roleId, secretId}`, readable by its owner only. */
  readonly loginFile: string;
  /** Limit of one HTTP request in milliseconds; default 5,000. */
  readonly timeoutMs?: number;
  /** Default: 8 more attempts over about 9 s, enough for a restart and unseal. */
  readonly retry?: Retry;
  readonly now?: () => number;
}

export interface TransitSignature {
  /** DER (`asn1`) or r ‖ s (`jws`, RFC 7518 section 3.4). */
  readonly signature: Buffer;
  readonly keyVersion: number;
}

export interface DataKey {
  /** 32 bytes. */
  readonly plaintext: Buffer;
  /** The same key encrypted by the transit key (`vault:v<n>:…`); safe to store next to the data. */
  readonly wrapped: string;
}

export interface ChildToken {
  readonly token: string;
  /** Names the token without being one. */
  readonly accessor: string;
}

export interface DatabaseLogin {
  readonly username: string;
  readonly password: string;
  /** Until it ends by itself. */
  readonly seconds: number;
}

const DEFAULT_RETRY: Retry = { retries: 8, minTimeout: 100, maxTimeout: 2000, factor: 2 };

/** Paths are joined into URLs: nothing that could leave the mount or start a query. */
function safe(path: string): string {
  if (/^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/.test(path)) return path;
  throw new BaoError('SECRET_REJECTED', 'A path in OpenBao has segments of letters, digits, "_" and "-" only.');
}

/**
 * OpenBao for one process: logs in with AppRole on first use, renews the token before it expires, logs in again when
 * the server no longer knows it, and repeats requests while the server is sealed, busy or away.
 *
 * Every method throws BaoError: `SECRET_UNAVAILABLE` when the retries are used up, `SECRET_LOGIN_INVALID`,
 * `SECRET_FORBIDDEN` when the login's policy says no, `SECRET_REJECTED` for any other refusal.
 */
export class BaoClient {
  readonly #sessions: SessionHolder;
  readonly #retry: Retry;
  readonly #server: { readonly address: string; readonly timeoutMs: number };

  constructor(options: BaoClientOptions) {
    this.#server = { address: options.address, timeoutMs: options.timeoutMs ?? 5000 };
    this.#sessions = new SessionHolder({
      ...this.#server,
      loginFile: options.loginFile,
      now: options.now ?? Date.now,
    });
    this.#retry = options.retry ?? DEFAULT_RETRY;
  }

  /** Newest version of a kv-v2 secret under the mount `secret`, e.g. `saip/postgres/api`. */
  async kvRead(path: string): Promise<Readonly<Record<string, string>>> {
    const answer = await this.#request(`read secret/${path}`, KvResponse, (client) =>
      client.read(`secret/data/${safe(path)}`),
    );
    return answer.data.data;
  }

  /**
   * ECDSA signature over SHA-256 of `message`; the message itself stays in this process.
   * Without `keyVersion` the newest version signs.
   */
  async transitSign(
    key: string,
    message: Uint8Array,
    options: {
      readonly marshaling: 'jws' | 'asn1';
      readonly keyVersion?: number;
    },
  ): Promise<TransitSignature> {
    const digest = createHash('sha256').update(message).digest('base64');
    const { data } = await this.#request(`sign with ${key}`, SignResponse, (client) =>
      client.write(`transit/sign/${safe(key)}`, {
        input: digest,
        prehashed: true,
        hash_algorithm: 'sha2-256',
        marshaling_algorithm: options.marshaling,
        key_version: options.keyVersion ?? 0,
      }),
    );
    const encoded = data.signature.split(':').at(-1) ?? '';
    return {
      signature: Buffer.from(encoded, options.marshaling === 'jws' ? 'base64url' : 'base64'),
      keyVersion: data.key_version,
    };
  }

  /** Ed25519 signature (RFC 8032) of the newest version over `message` itself, which OpenBao therefore sees. */
  async transitSignMessage(key: string, message: Uint8Array): Promise<TransitSignature> {
    const { data } = await this.#request(`sign with ${key}`, SignResponse, (client) =>
      client.write(`transit/sign/${safe(key)}`, { input: Buffer.from(message).toString('base64') }),
    );
    const encoded = data.signature.split(':').at(-1) ?? '';
    return { signature: Buffer.from(encoded, 'base64'), keyVersion: data.key_version };
  }

  /** Public halves of every usable version of an asymmetric transit key. */
  transitPublicKeys(key: string): Promise<TransitPublicKeys> {
    return this.#request(`read key ${key}`, { parse: parsePublicKeys }, (client) =>
      client.read(`transit/keys/${safe(key)}`),
    );
  }

  /**
   * HMAC-SHA-256 of `text` as `vault:v<version>:<base64>`, under the newest version of a transit key, or under the one
   * that made `like`.
   */
  async transitHmac(key: string, text: string, like?: string): Promise<string> {
    const version = /^vault:v(\d+):/.exec(like ?? '')?.[1];
    const { data } = await this.#request(`hash with ${key}`, HmacResponse, (client) =>
      client.write(`transit/hmac/${safe(key)}/sha2-256`, {
        input: Buffer.from(text).toString('base64'),
        ...(version !== undefined && { key_version: Number(version) }),
      }),
    );
    return data.hmac;
  }

  /** A fresh 256-bit data key, wrapped by a symmetric transit key. */
  async datakey(key: string): Promise<DataKey> {
    const { data } = await this.#request(`make a data key of ${key}`, DatakeyResponse, (client) =>
      client.write(`transit/datakey/plaintext/${safe(key)}`, { bits: 256 }),
    );
    return {
      plaintext: Buffer.from(data.plaintext, 'base64'),
      wrapped: data.ciphertext,
    };
  }

  /** Unwraps what `datakey` gave. */
  async decryptDatakey(key: string, wrapped: string): Promise<Buffer> {
    const { data } = await this.#request(`decrypt with ${key}`, DecryptResponse, (client) =>
      client.write(`transit/decrypt/${safe(key)}`, { ciphertext: wrapped }),
    );
    return Buffer.from(data.plaintext, 'base64');
  }

  /**
   * A token of its own under a token role, a child of this process's: what is borrowed under it ends with it.
   * @param meta kept in OpenBao's audit log
   */
  async childToken(role: string, meta: Readonly<Record<string, string>>): Promise<ChildToken> {
    const { auth } = await this.#request(`make a token of ${role}`, TokenResponse, (client) =>
      client.write(`auth/token/create/${safe(role)}`, { meta, no_default_policy: true }),
    );
    return { token: auth.client_token, accessor: auth.accessor };
  }

  /** A login of a database that OpenBao makes now, and that ends with the token it was borrowed under. */
  async borrowDatabaseLogin(role: string, { token }: ChildToken): Promise<DatabaseLogin> {
    const answer = await this.#request(`borrow a login of ${role}`, DatabaseLoginResponse, () =>
      newVault(this.#server, token).read(`database/creds/${safe(role)}`),
    );
    return { ...answer.data, seconds: answer.lease_duration };
  }

  /** Ends a token by its accessor, and everything borrowed under it. One that has ended already is no error. */
  async revokeToken(accessor: string): Promise<void> {
    await this.#request('revoke a token', { parse: () => undefined }, async (client) => {
      try {
        return (await client.write('auth/token/revoke-accessor', { accessor })) as unknown;
      } catch (error) {
        const { status, message } = describeFailure(error);
        if (status === 400 && /invalid accessor/.test(message)) return undefined;
        throw error;
      }
    });
  }

  /** Revokes the token, so that it is useless after the process ended. Never throws. */
  async close(): Promise<void> {
    await this.#sessions.close();
  }

  async #request<T>(
    what: string,
    schema: { parse(value: unknown): T },
    send: (client: VaultClient) => Promise<unknown>,
  ): Promise<T> {
    let answer: unknown;
    try {
      answer = await pRetry(() => this.#attempt(send), {
        ...this.#retry,
        randomize: true,
        shouldRetry: ({ error }) => !(error instanceof BaoError) && describeFailure(error).transient,
      });
    } catch (error) {
      throw toBaoError(what, error);
    }
    try {
      return schema.parse(answer);
    } catch {
      // The parser's message may quote secrets.
      throw new BaoError('SECRET_REJECTED', `Cannot ${what}: OpenBao answered in an unexpected form.`);
    }
  }

  async #attempt(send: (client: VaultClient) => Promise<unknown>): Promise<unknown> {
    const session = await this.#sessions.current();
    try {
      return await send(session.vault);
    } catch (error) {
      if (describeFailure(error).status !== 403 || (await isKnown(session))) throw error;
      this.#sessions.forget(session);
      return await send((await this.#sessions.current()).vault);
    }
  }
}
