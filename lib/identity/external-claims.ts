import { decodeProtectedHeader, type JWTPayload } from 'jose';
import { Name } from '../../contracts/reference.ts';
import { ROLES, type Role } from '../../contracts/roles.ts';
import { IdentityError, type Refusal } from './errors.ts';

/** An OpenID Connect issuer whose access tokens are taken, and what they are worth here. */
export interface ExternalIssuer {
  /** Stands before every subject. */
  readonly name: string;
  /** The claim `iss`, but for a slash at its end. */
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** Accepted `typ` of the header. */
  readonly types: readonly string[];
  /** Dots lead into objects. */
  readonly rolesClaim: string;
  /** Value of that claim → roles of the platform. */
  readonly roles: Readonly<Record<string, readonly Role[]>>;
  readonly tenant: string;
  readonly tenantClaim?: string | undefined;
}

/**
 * `x5t` names a certificate that nobody looks up. Keys by value or by address (`jwk`, `jku`, `x5c`, `x5u`) and extensions
 * (`crit`, `b64`) are refused.
 */
const HEADER_PARAMETERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid', 'x5t', 'x5t#S256']);

/** Throws `TOKEN_INVALID` for a header that the issuer may not write. */
export function checkHeader(token: string, { types, algorithms }: ExternalIssuer): void {
  const header: Readonly<Record<string, unknown>> = { ...decodeProtectedHeader(token) };
  const foreign = Object.keys(header).find((name) => !HEADER_PARAMETERS.has(name));
  if (foreign !== undefined) {
    throw refusal(`has the header parameter ${JSON.stringify(foreign.slice(0, 32))}`, 'header');
  }
  if (!algorithms.includes(String(header['alg'])))
    throw refusal('is signed with an algorithm not allowed', 'algorithm');
  if (typeof header['kid'] !== 'string') throw refusal('names no key', 'key');
  // RFC 7515 section 4.1.9: a media type, whatever its case, with or without "application/".
  const given = header['typ'];
  const typ = (typeof given === 'string' ? given : '').toLowerCase().replace(/^application\//, '');
  if (!types.some((type) => type.toLowerCase() === typ)) throw refusal('is of a type not allowed', 'type');
}

/** Roles of the platform that the claims of a verified token are worth, in the order of the list of roles. */
export function rolesOf(payload: JWTPayload, { rolesClaim, roles }: ExternalIssuer): Role[] {
  const value = claimAt(payload, rolesClaim);
  const given = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
  const granted = new Set(given.flatMap((name) => (Object.hasOwn(roles, name) ? (roles[name] ?? []) : [])));
  return ROLES.filter((role) => granted.has(role));
}

/** Throws `TOKEN_INVALID` where the claim that is to name the tenant does not. */
export function tenantOf(payload: JWTPayload, { tenant, tenantClaim }: ExternalIssuer): string {
  if (tenantClaim === undefined) return tenant;
  const parsed = Name.safeParse(claimAt(payload, tenantClaim));
  if (parsed.success) return parsed.data;
  throw refusal('names no tenant', 'claims');
}

/** A claim of this very name, or along the dots into objects. */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Record<string, unknown>)[key];
  }, payload);
}

/** What is wrong with a token, and why in one word. */
export function refusal(what: string, reason: Refusal, cause?: unknown): IdentityError {
  return new IdentityError('TOKEN_INVALID', `The token ${what}.`, { cause, reason });
}
