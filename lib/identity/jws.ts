import { isUtf8 } from 'node:buffer';
import type { KeyObject } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { LRUCache } from 'lru-cache';
import { isSignedBy, SIGNATURE_BYTES } from './ecdsa.ts';
import { IdentityError, type IdentityErrorCode, type Refusal } from './errors.ts';
import { wrongWith, type ExpectedClaims, type JwtClaims } from './jwt-claims.ts';
import type { TransitKeySet } from './key-set.ts';

/** Largest compact JWS that is looked at, in characters. */
export const MAX_JWS_LENGTH = 8192;

/** The only header parameters: keys by value or by URL (`jwk`, `jku`, `x5c`, `x5u`) and extensions (`crit`, `b64`) are refused. */
const HEADER_PARAMETERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid']);
/** Headers, as they are written, that were found right: those of one key are all the same. */
const knownHeaders = new LRUCache<string, string>({ max: 1_000 });

export interface OpenJwsOptions extends ExpectedClaims {
  readonly keys: TransitKeySet;
  readonly typ: string;
  /** What this kind of JWS is called in messages, and the code of every refusal. */
  readonly noun: string;
  readonly code: IdentityErrorCode;
}

export interface OpenedJws {
  readonly kid: string;
  readonly payload: JwtClaims;
}

/**
 * Verifies a compact JWS with JSON claims by RFC 8725: the algorithm is fixed to ES256, the key comes from the key set
 * by its id alone, and type, issuer, audience and times are checked. Throws `code`, or BaoError where keys cannot be read.
 */
export async function openJws(jws: string, options: OpenJwsOptions): Promise<OpenedJws> {
  const { kid, signature } = readEnvelope(jws, options);
  const key = await options.keys.find(kid);
  if (key === undefined || !isOnP256(key)) throw refusal(options, 'was signed by an unknown key', 'key');
  const [header = '', payload = ''] = jws.split('.', 2);
  const signed = Buffer.from(`${header}.${payload}`);
  if (!(await isSignedBy(key, signed, signature))) {
    throw refusal(options, 'is not valid', 'signature');
  }
  const claims = readClaims(payload);
  if (claims === undefined) throw refusal(options, 'is malformed', 'malformed');
  const wrong = wrongWith(claims, options);
  if (wrong === undefined) return { kid, payload: claims };
  throw refusal(options, wrong === 'expired' ? 'has expired' : 'is not valid', wrong);
}

interface Envelope {
  readonly kid: string;
  readonly signature: Buffer;
}

function readEnvelope(jws: string, options: OpenJwsOptions): Envelope {
  if (jws.length > MAX_JWS_LENGTH) throw refusal(options, 'is too long', 'malformed');
  const signature = signatureOf(jws);
  if (signature === undefined) throw refusal(options, 'is malformed', 'malformed');
  const written = `${options.typ} ${jws.slice(0, jws.indexOf('.'))}`;
  let kid = knownHeaders.get(written);
  if (kid === undefined) {
    kid = readHeader(jws, options);
    knownHeaders.set(written, kid);
  }
  return { kid, signature };
}

/** @returns the id of the key */
function readHeader(jws: string, options: OpenJwsOptions): string {
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
  const { alg, typ, kid } = header;
  if (alg !== 'ES256') throw refusal(options, 'is not signed with ES256', 'algorithm');
  if (typeof kid !== 'string') throw refusal(options, 'names no key', 'key');
  if (typeof typ !== 'string' || mediaTypeOf(typ) !== options.typ) throw refusal(options, 'is not valid', 'type');
  return kid;
}

/** One signature has one spelling: unused bits and white space at the end, which decoders pass over, are refused. */
function signatureOf(jws: string): Buffer | undefined {
  const text = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(jws)?.[1];
  if (text === undefined) return undefined;
  const signature = Buffer.from(text, 'base64url');
  return signature.length === SIGNATURE_BYTES && signature.toString('base64url') === text ? signature : undefined;
}

/** `typ` is a media type whose `application/` may be left out (RFC 7515 section 4.1.9). */
function mediaTypeOf(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}

function isOnP256(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
}

function readClaims(payload: string): JwtClaims | undefined {
  const bytes = Buffer.from(payload, 'base64url');
  if (!isUtf8(bytes)) return undefined;
  try {
    const claims: unknown = JSON.parse(bytes.toString());
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as JwtClaims) : undefined;
  } catch {
    return undefined;
  }
}

function refusal(options: OpenJwsOptions, what: string, reason: Refusal, cause?: unknown): IdentityError {
  return new IdentityError(options.code, `The ${options.noun} ${what}.`, { cause, reason });
}
