import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';

/** Claims that GitHub Actions puts into the token of a job. */
export const CLAIMS = {
  sub: 'repo:example/models:environment:release',
  repository: 'example/models',
  repository_id: '123456',
  ref: 'refs/heads/main',
  environment: 'release',
  run_id: '77',
  run_attempt: '1',
  actor: 'ann',
  workflow_ref: 'example/models/.github/workflows/release.yml@refs/heads/main',
  sha: 'a'.repeat(40),
} as const;

export const AUDIENCE = 'saip';

export interface TokenOptions {
  readonly claims?: JWTPayload;
  readonly issuer?: string;
  readonly audience?: string | string[];
  /** Seconds from now. */
  readonly issuedAt?: number;
  readonly expiresAt?: number;
  readonly algorithm?: 'RS256' | 'ES256' | 'PS256';
  /** Signs with a key that the issuer does not publish, under the id of one that it does. */
  readonly forged?: boolean;
}

/** An issuer of a test's own: real keys, a real key set over HTTP, and the endpoint that hands a job its token. */
export class OidcIssuer {
  readonly #server: Server;
  readonly #keys = new Map<string, CryptoKey>();
  #jwks: { keys: unknown[] } = { keys: [] };
  /** Answers nothing but errors. */
  broken = false;
  /** Bearer with which a job asks for its token. */
  readonly jobToken = 'job-token';

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(new URL(request.url ?? '', this.url), request.headers.authorization).then(
        ({ status, body }) => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        },
      );
    });
  }

  static async start(): Promise<OidcIssuer> {
    const issuer = new OidcIssuer();
    for (const algorithm of ['RS256', 'ES256', 'PS256']) await issuer.#addKey(algorithm);
    issuer.#server.listen(0, '127.0.0.1');
    await once(issuer.#server, 'listening');
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where a job asks for its token, as GitHub's variable names it. */
  get requestUrl(): string {
    return `${this.url}/token?api-version=2.0`;
  }

  async token(options: TokenOptions = {}): Promise<string> {
    const { algorithm = 'RS256', issuedAt = 0, expiresAt = 300 } = options;
    const now = Math.floor(Date.now() / 1000);
    const key = options.forged === true ? (await generateKeyPair(algorithm)).privateKey : this.#keys.get(algorithm);
    if (key === undefined) throw new Error(`no key for ${algorithm}`);
    return new SignJWT({ ...CLAIMS, ...options.claims })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid: algorithm })
      .setIssuer(options.issuer ?? this.url)
      .setAudience(options.audience ?? AUDIENCE)
      .setIssuedAt(now + issuedAt)
      .setExpirationTime(now + expiresAt)
      .sign(key);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #addKey(algorithm: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(algorithm);
    this.#keys.set(algorithm, privateKey);
    const jwk = { ...(await exportJWK(publicKey)), kid: algorithm, alg: algorithm, use: 'sig' };
    this.#jwks = { keys: [...this.#jwks.keys, jwk] };
  }

  async #answer(url: URL, authorization: string | undefined): Promise<{ status: number; body: unknown }> {
    if (this.broken) return { status: 500, body: {} };
    if (url.pathname === '/.well-known/jwks') return { status: 200, body: this.#jwks };
    if (url.pathname !== '/token') return { status: 404, body: {} };
    if (authorization !== `Bearer ${this.jobToken}`) return { status: 401, body: {} };
    return { status: 200, body: { value: await this.token({ audience: url.searchParams.get('audience') ?? '' }) } };
  }
}
