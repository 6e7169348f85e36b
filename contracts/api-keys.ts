import { z } from 'zod';
import { Name } from './reference.ts';
import { Role } from './roles.ts';

/**
 * What a key may be good for: reading, predicting, starting. Deciding (approvals), secrets (decoding of payloads, the
 * audit log) and keys themselves need a person's or program's own sign-in.
 */
export const KEY_ACTIONS = [
  'model:infer',
  'model:read',
  'dataset:read',
  'workflow:read',
  'workflow:start',
  'attack:read',
  'release:read',
  'agent:read',
  'schedule:read',
  'metrics:read',
] as const;
export const KeyAction = z.enum(KEY_ACTIONS);
export type KeyAction = z.infer<typeof KeyAction>;

export const KeyId = z.string().regex(/^[a-z2-7]{12}$/, 'the id of a key: twelve letters and digits');

const DAY_SECONDS = 86_400;
const unique = <T>(values: readonly T[]): boolean => new Set(values).size === values.length;

/** Body of `POST /v1/api-keys`. */
export const ApiKeyRequest = z.strictObject({
  /** What it is for, in the words of its owner. */
  name: z.string().trim().min(1).max(100),
  /** At most those of the owner. */
  roles: z.array(Role).min(1).refine(unique, 'names a role twice').default(['predictor']),
  actions: z.array(KeyAction).min(1).refine(unique, 'names an action twice').default(['model:infer', 'model:read']),
  /** Absent: every model. */
  models: z.array(Name).min(1).max(100).refine(unique, 'names a model twice').optional(),
  expiresInDays: z.int().min(1).max(365).default(90),
});
export type ApiKeyRequest = z.infer<typeof ApiKeyRequest>;

/** Body of `POST /v1/api-keys/{id}/rotate`. */
export const RotateKeyRequest = z.strictObject({
  /** Seconds that the former key goes on working. */
  overlapSeconds: z
    .int()
    .min(0)
    .max(7 * DAY_SECONDS)
    .default(3600),
});
export type RotateKeyRequest = z.infer<typeof RotateKeyRequest>;

const at = z.iso.datetime({ offset: true });

export const ApiKeyView = z.object({
  id: KeyId,
  name: z.string(),
  owner: z.string(),
  tenant: z.string(),
  roles: z.array(Role),
  actions: z.array(KeyAction),
  models: z.array(Name).optional(),
  createdAt: at,
  expiresAt: at,
  /** To the minute. */
  lastUsedAt: at.optional(),
  rotatedAt: at.optional(),
  /** Until then the key before the last rotation works, too. */
  formerUntil: at.optional(),
  revokedAt: at.optional(),
});
export type ApiKeyView = z.infer<typeof ApiKeyView>;

export const ApiKeyList = z.object({ keys: z.array(ApiKeyView) });

/** The only answer that ever holds the key. */
export const ApiKeyCreated = ApiKeyView.extend({
  /** Send it as a bearer token, or in the header `X-API-Key`. */
  key: z.string(),
});
export type ApiKeyCreated = z.infer<typeof ApiKeyCreated>;
