import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTHeaderParameters, type JWTPayload } from 'jose';

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
  /** Replaces single parameters of the header. */
  readonly header?: Partial<JWTHeaderParameters>;
  /** Signs with a key that the issuer does not publish, under the id of one that it does. */
  readonly forged?: boolean;
}

/** An issuer of a test's own: real keys, a real key set over HTTP, and the endpoint that hands a job its token. */
export class OidcIssuer {
  readonly #server: Server;
  readonly #keys = new Map<string, CryptoKey>();
  #jwks: { keys: unknown[] } = { keys: [] };
  readonly #kids = new Map<string, string>();
  /** Answers nothing but errors. */
  broken = false;
  /** What the discovery document says besides, or instead. */
  discovery: Readonly<Record<string, unknown>> = {};
  /** Requests that were answered, by path. */
  readonly asked: string[] = [];
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
      .setProtectedHeader({
        alg: algorithm,
        typ: 'JWT',
        kid: this.#kids.get(algorithm) ?? algorithm,
        ...options.header,
      })
      .setIssuer(options.issuer ?? this.url)
      .setAudience(options.audience ?? AUDIENCE)
      .setIssuedAt(now + issuedAt)
      .setExpirationTime(now + expiresAt)
      .sign(key);
  }

  /** Signs with a new key from now on, and publishes no other one of this algorithm. */
  async rotate(algorithm: string): Promise<void> {
    const kid = `${algorithm}-${String(this.#jwks.keys.length + this.asked.length)}`;
    this.#jwks = { keys: this.#jwks.keys.filter((key) => (key as { alg: string }).alg !== algorithm) };
    this.#kids.set(algorithm, kid);
    await this.#addKey(algorithm, kid);
  }

  /** The public key as PEM-less JWK text, for those who would use it as a secret. */
  publicKey(algorithm: string): string {
    return JSON.stringify(this.#jwks.keys.find((key) => (key as { alg: string }).alg === algorithm));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #addKey(algorithm: string, kid = algorithm): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(algorithm);
    this.#keys.set(algorithm, privateKey);
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
    this.#jwks = { keys: [...this.#jwks.keys, jwk] };
  }

  async #answer(url: URL, authorization: string | undefined): Promise<{ status: number; body: unknown }> {
    this.asked.push(url.pathname);
    if (this.broken) return { status: 500, body: {} };
    if (url.pathname === '/.well-known/openid-configuration') {
      return { status: 200, body: { issuer: this.url, jwks_uri: `${this.url}/.well-known/jwks`, ...this.discovery } };
    }
    if (url.pathname === '/.well-known/jwks') return { status: 200, body: this.#jwks };
    if (url.pathname !== '/token') return { status: 404, body: {} };
    if (authorization !== `Bearer ${this.jobToken}`) return { status: 401, body: {} };
    return { status: 200, body: { value: await this.token({ audience: url.searchParams.get('audience') ?? '' }) } };
  }
}
