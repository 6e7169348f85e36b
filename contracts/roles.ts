import { z } from 'zod';

export const ROLES = [
  'viewer',
  'predictor',
  'trainer',
  'approver',
  'redteam',
  'agent-operator',
  'releaser',
  'auditor',
  'admin',
] as const;

/** A role claim of an access token. What a role may do is decided in `infra/policies/authz`. */
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

/** What a request asks permission for; the action names that `infra/policies/authz` decides about. */
export const ACTIONS = [
  'workflow:start',
  'workflow:read',
  'workflow:approve',
  'workflow:cancel',
  'workflow:retry',
  'model:read',
  'model:import',
  'model:infer',
  'model:rollback',
  'model:serve',
  'dataset:read',
  'dataset:write',
  'score:read',
  'schedule:read',
  'schedule:write',
  'attack:read',
  'release:read',
  'agent:read',
  'audit:read',
  'cache:collect',
  'audit:erase',
  'codec:decode',
  'metrics:read',
  'key:read',
  'key:write',
  'limit:read',
  'limit:write',
  'misuse:read',
  'misuse:write',
] as const;
export const Action = z.enum(ACTIONS);
export type Action = z.infer<typeof Action>;

/** Who asks, as read from a verified access token. */
export const Principal = z.object({
  /** Subject (`sub`): stable name of the person or program. */
  sub: z.string().min(1).max(256),
  roles: z.array(Role),
  tenant: z.string().min(1).max(64),
});
export type Principal = z.infer<typeof Principal>;

/** Narrows what a principal may do to what an API key was made for. */
export const KeyScope = z.object({
  /** Of the key. */
  id: z.string(),
  actions: z.array(Action),
  /** Absent: every model. */
  models: z.array(z.string()).optional(),
});
export type KeyScope = z.infer<typeof KeyScope>;
