import { z } from 'zod';
import { Timestamp } from './api.ts';
import { Role } from './roles.ts';
import { credential } from './token.ts';

/** Body of `POST /v1/auth/session`: a token, or the client that gets one. */
export const SessionRequest = z.union([
  z.strictObject({ token: z.string().min(1).max(8192) }),
  z.strictObject({ client_id: credential, client_secret: credential }),
]);
export type SessionRequest = z.infer<typeof SessionRequest>;

/** Who the caller is; answer of `GET` and `POST /v1/auth/session`. */
export const SessionResponse = z.object({
  subject: z.string(),
  roles: z.array(Role),
  tenant: z.string(),
  expiresAt: Timestamp,
});
export type SessionResponse = z.infer<typeof SessionResponse>;

export const Jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });
