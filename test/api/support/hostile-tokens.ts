import type { ErrorCode } from '../../../contracts/errors.ts';

/** A token: what is changed of a good one before the platform's own key signs it, or any text in its place. */
export interface HostileToken {
  readonly what: string;
  readonly header?: Readonly<Record<string, unknown>>;
  /** Times are seconds from now. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly times?: Readonly<Partial<Record<'iat' | 'nbf' | 'exp', number>>>;
  /** Makes the `Authorization` header out of the signed token. */
  readonly spoil?: (token: string, publicKey: string) => string | undefined;
  readonly status: number;
  readonly code: ErrorCode;
}

const parts = (token: string): [string, string, string] => token.split('.') as [string, string, string];
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const invalid = { status: 401, code: 'TOKEN_INVALID' } as const;
const missing = { status: 401, code: 'UNAUTHENTICATED' } as const;

/** @param hs256 signs with a shared secret */
export const hostileTokens = (hs256: (input: string, secret: string) => string): readonly HostileToken[] => [
  { what: 'nothing', spoil: () => undefined, ...missing },
  { what: 'an empty bearer', spoil: () => 'Bearer ', ...missing },
  { what: 'a password', spoil: () => 'Basic YWRtaW46YWRtaW4=', ...missing },
  { what: 'a token under another scheme', spoil: (token) => `Token ${token}`, ...missing },
  { what: 'two tokens', spoil: (token) => `Bearer ${token}, Bearer ${token}`, ...missing },
  { what: 'a line break', spoil: (token) => `Bearer ${token.slice(0, 9)}\t${token.slice(9)}`, ...missing },
  { what: 'no token at all', spoil: () => 'Bearer hello', ...invalid },
  { what: 'a token in two parts', spoil: (token) => `Bearer ${parts(token).slice(0, 2).join('.')}`, ...invalid },
  { what: 'a token in five parts', spoil: (token) => `Bearer ${token}.a.b`, ...invalid },
  {
    what: 'a token without its signature',
    spoil: (token) => `Bearer ${parts(token).slice(0, 2).join('.')}.`,
    ...invalid,
  },
  {
    what: 'a signature of zeros',
    spoil: (token) => `Bearer ${parts(token).slice(0, 2).join('.')}.${'A'.repeat(86)}`,
    ...invalid,
  },
  {
    what: 'other claims under the same signature',
    spoil: (token) => {
      const [header, , signature] = parts(token);
      return `Bearer ${header}.${encoded({ sub: 'root', roles: ['admin'] })}.${signature}`;
    },
    ...invalid,
  },
  {
    what: 'algorithm none',
    spoil: (token) => `Bearer ${encoded({ alg: 'none', typ: 'at+jwt' })}.${parts(token)[1]}.`,
    ...invalid,
  },
  {
    what: 'the public key as a secret',
    spoil: (token, publicKey) => {
      const [header, payload] = parts(token);
      const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
      const input = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid })}.${payload}`;
      return `Bearer ${input}.${hs256(input, publicKey)}`;
    },
    ...invalid,
  },
  { what: 'another algorithm', header: { alg: 'ES384' }, ...invalid },
  { what: 'algorithm PS256', header: { alg: 'PS256' }, ...invalid },
  { what: 'a key by value', header: { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } }, ...invalid },
  { what: 'keys by address', header: { jku: 'http://127.0.0.1:1/keys' }, ...invalid },
  { what: 'a certificate by address', header: { x5u: 'http://127.0.0.1:1/cert' }, ...invalid },
  { what: 'a certificate by value', header: { x5c: ['AA=='] }, ...invalid },
  { what: 'an unknown critical extension', header: { crit: ['admin'], admin: true }, ...invalid },
  { what: 'an unencoded payload', header: { crit: ['b64'], b64: false }, ...invalid },
  { what: 'a compressed payload', header: { zip: 'DEF' }, ...invalid },
  { what: 'another type', header: { typ: 'JWT' }, ...invalid },
  { what: 'the type of an approval', header: { typ: 'approval+jwt' }, ...invalid },
  { what: 'no type', header: { typ: undefined }, ...invalid },
  { what: 'an unknown key', header: { kid: 'x'.repeat(43) }, ...invalid },
  { what: 'a key id that is a path', header: { kid: '../../../dev/null' }, ...invalid },
  { what: 'a key id that is a query', header: { kid: "' OR 1=1 --" }, ...invalid },
  { what: 'a key id of another kind', header: { kid: { $ne: '' } }, ...invalid },
  { what: 'an end in the past', times: { iat: -3000, exp: -60 }, ...invalid },
  { what: 'a beginning in the future', times: { nbf: 120 }, ...invalid },
  { what: 'an issue in the future', times: { iat: 3600, exp: 7200 }, ...invalid },
  { what: 'a life of days', times: { iat: -86_400, exp: 86_400 }, ...invalid },
  { what: 'no end', claims: { exp: undefined }, ...invalid },
  { what: 'an end that is text', claims: { exp: '9999999999' }, ...invalid },
  { what: 'another issuer', claims: { iss: 'https://attacker.example' }, ...invalid },
  { what: 'another audience', claims: { aud: 'elsewhere' }, ...invalid },
  { what: 'no audience', claims: { aud: undefined }, ...invalid },
  { what: 'nobody', claims: { sub: '' }, ...invalid },
  { what: 'no roles', claims: { roles: undefined }, ...invalid },
  { what: 'a role that nobody knows', claims: { roles: ['root'] }, ...invalid },
  { what: 'roles that are an object', claims: { roles: { length: 1, 0: 'admin' } }, ...invalid },
  { what: 'no tenant', claims: { tenant: undefined }, ...invalid },
  { what: 'more than 8 KiB', claims: { padding: 'x'.repeat(8192) }, ...invalid },
  { what: 'a role that may not predict', claims: { roles: ['auditor'] }, status: 403, code: 'FORBIDDEN' },
  { what: 'no role', claims: { roles: [] }, status: 403, code: 'FORBIDDEN' },
];
