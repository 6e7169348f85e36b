import type { KeyObject } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import { isSaipError } from '../../contracts/errors.ts';
import { IdentityError, type IdentityErrorCode, type Refusal } from './errors.ts';
import type { TransitKeySet } from './key-set.ts';

/** Largest compact JWS that is looked at, in characters. */
export const MAX_JWS_LENGTH = 8192;

/** Clocks may differ by this much, in seconds. */
export const CLOCK_SKEW_SECONDS = 30;

/** The only header parameters: keys by value or by URL (`jwk`, `jku`, `x5c`, `x5u`) and extensions (`crit`, `b64`) are refused. */
const HEADER_PARAMETERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid']);

export interface OpenJwsOptions extends Pick<JWTVerifyOptions, 'issuer' | 'audience' | 'maxTokenAge'> {
  readonly keys: TransitKeySet;
  readonly typ: string;
  readonly requiredClaims: string[];
  readonly now: () => number;
  /** What this kind of JWS is called in messages, and the code of every refusal. */
  readonly noun: string;
  readonly code: IdentityErrorCode;
}

export interface OpenedJws {
  readonly kid: string;
  readonly payload: JWTPayload;
}

/**
 * Verifies a compact JWS with JSON claims by RFC 8725: the algorithm is fixed to ES256, the key comes from the key set
 * by its id alone, and type, issuer, audience and times are checked. Throws `code`, or BaoError where keys cannot be read.
 */
export async function openJws(jws: string, options: OpenJwsOptions): Promise<OpenedJws> {
  const kid = readKeyId(jws, options);
  const key = await options.keys.find(kid);
  if (key === undefined) throw refusal(options, 'was signed by an unknown key', 'key');
  try {
    const { payload } = await verify(jws, key, options);
    return { kid, payload };
  } catch (error) {
    if (isSaipError(error)) throw error;
    if (error instanceof errors.JWTExpired) throw refusal(options, 'has expired', 'expired', error);
    throw refusal(options, 'is not valid', reasonOf(error), error);
  }
}

function readKeyId(jws: string, options: OpenJwsOptions): string {
  if (jws.length > MAX_JWS_LENGTH) throw refusal(options, 'is too long', 'malformed');
  if (!isCanonical(jws)) throw refusal(options, 'is malformed', 'malformed');
  let header: Readonly<Record<string, unknown>>;
  try {
    header = { ...decodeProtectedHeader(jws) };
  } catch (error) {
    throw refusal(options, 'is malformed', 'malformed', error);
  }
  const foreign = Object.keys(header).find((name) => !HEADER_PARAMETERS.has(name));
  if (foreign !== undefined) {
    throw refusal(options, `has the header parameter ${JSON.stringify(foreign.slice(0, 32))}`, 'header');
  }
  if (header['alg'] !== 'ES256') throw refusal(options, 'is not signed with ES256', 'algorithm');
  if (typeof header['kid'] !== 'string') throw refusal(options, 'names no key', 'key');
  return header['kid'];
}

/** One signature has one spelling: unused bits and white space at the end, which decoders pass over, are refused. */
function isCanonical(jws: string): boolean {
  const signature = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(jws)?.[1];
  return signature !== undefined && Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

function verify(jws: string, key: KeyObject, options: OpenJwsOptions): ReturnType<typeof jwtVerify> {
  return jwtVerify(jws, key, {
    algorithms: ['ES256'],
    typ: options.typ,
    issuer: options.issuer,
    audience: options.audience,
    maxTokenAge: options.maxTokenAge,
    requiredClaims: options.requiredClaims,
    clockTolerance: CLOCK_SKEW_SECONDS,
    currentDate: new Date(options.now()),
  });
}

function reasonOf(error: unknown): Refusal {
  if (error instanceof errors.JWTClaimValidationFailed) return REASONS[error.claim] ?? 'claims';
  return error instanceof errors.JWSSignatureVerificationFailed ? 'signature' : 'malformed';
}

const REASONS: Readonly<Record<string, Refusal>> = { aud: 'audience', iss: 'issuer', typ: 'type' };

function refusal(options: OpenJwsOptions, what: string, reason: Refusal, cause?: unknown): IdentityError {
  return new IdentityError(options.code, `The ${options.noun} ${what}.`, { cause, reason });
}
