import { z } from 'zod';
import { Name } from '../../contracts/reference.ts';
import { Role } from '../../contracts/roles.ts';

const onLoopback = ({ hostname }: URL): boolean => ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);

/** Keys fetched without TLS would be anybody's. */
export const issuerUrl = z
  .url({ protocol: /^https?$/ })
  .transform((url) => url.replace(/\/+$/, ''))
  .refine((url) => {
    const parsed = URL.parse(url);
    return parsed !== null && (parsed.protocol === 'https:' || onLoopback(parsed));
  }, 'must begin with https: unless it is on this machine');

/** Asymmetric ones only: whoever can verify a token must not be able to make one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

const claim = z.string().regex(/^[\w:/.-]{1,128}$/, 'the name of a claim');

/** An OpenID Connect issuer whose access tokens are taken, and what they are worth here. */
export const OidcIssuer = z.strictObject({
  /** Stands before every subject of this issuer. */
  name: Name,
  /** As the claim `iss` spells it, but for a slash at the end; `/.well-known/openid-configuration` is read below it. */
  issuer: issuerUrl,
  /** The claim `aud` must name it. */
  audience: z.string().min(1).max(512),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'ES256']),
  /** Accepted `typ` of the header (RFC 9068: `at+jwt`); add `JWT` for issuers that do not set it. */
  types: z
    .array(z.enum(['at+jwt', 'JWT']))
    .min(1)
    .default(['at+jwt']),
  /** Claim that holds the roles, a text or a list; dots lead into objects: `realm_access.roles`. */
  rolesClaim: claim.default('roles'),
  /** Value of that claim → roles of the platform. What is not named here gives nothing. */
  roles: z.record(z.string().min(1).max(256), z.array(Role).min(1)),
  /** Tenant of everybody who comes from there, */
  tenant: Name.default('default'),
  /** or the claim that holds it, which must then be there. */
  tenantClaim: claim.optional(),
});
export type OidcIssuer = z.infer<typeof OidcIssuer>;

/** From a settings file a list, from a variable its JSON. */
export const OidcIssuers = z.preprocess(
  (value, context) => {
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'expected a JSON list of issuers' });
      return z.NEVER;
    }
  },
  z
    .array(OidcIssuer)
    .max(16)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'names an issuer twice')
    .refine((list) => new Set(list.map(({ issuer }) => issuer)).size === list.length, 'has an issuer twice'),
);
