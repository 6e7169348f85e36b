import { z } from 'zod';
import { Name } from './reference.ts';
import { Role } from './roles.ts';

/** Why a caller is flagged: see `lib/misuse`. */
export const FLAG_KINDS = ['distance-distribution', 'out-of-distribution', 'query-budget'] as const;
export const FlagKind = z.enum(FLAG_KINDS);
export type FlagKind = z.infer<typeof FlagKind>;

/** What happens to a flagged caller: nothing but the flag, one request a while, or none. */
export const MisuseAction = z.enum(['observe', 'slow', 'stop']);
export type MisuseAction = z.infer<typeof MisuseAction>;

/** What happens to inputs out of the range of the training's data. */
export const RangeAction = z.enum(['off', 'mark', 'refuse']);
export type RangeAction = z.infer<typeof RangeAction>;

/** What a model tells, and what it does about misuse. Absent settings are those of the row for all, then the default. */
export const Protection = z.strictObject({
  /** Probabilities become 1 for the predicted class and 0 for the others. */
  labelsOnly: z.boolean().optional(),
  /** Classes whose probability is told; the others are 0. */
  topK: z.int().min(1).max(1000).optional(),
  /** Decimals of a probability. */
  decimals: z.int().min(0).max(10).optional(),
  /** Of the softmax; above 1 flattens probabilities, and keeps their order. */
  temperature: z.number().min(0.05).max(100).optional(),
  onFlag: MisuseAction.optional(),
  /** Shapiro-Wilk's W below which distances are taken for those of made-up queries; 0: not looked at. */
  minW: z.number().min(0).max(1).optional(),
  /** Share of rows unlike the training's data above which a caller is flagged; 1: not looked at. */
  maxStrangeShare: z.number().min(0).max(1).optional(),
  outOfRange: RangeAction.optional(),
});
export type Protection = z.infer<typeof Protection>;

/** Body of `POST /v1/models/{name}/protection`: replaces what was set for this role. An empty one takes it away. */
export const ProtectionRequest = z.strictObject({
  /** Absent: every role. */
  role: Role.optional(),
  settings: Protection,
});
export type ProtectionRequest = z.infer<typeof ProtectionRequest>;

export const ProtectionView = z.object({
  role: Role.optional(),
  settings: Protection,
  setBy: z.string(),
  setAt: z.string(),
});
export type ProtectionView = z.infer<typeof ProtectionView>;

/** What was set for a model, and what counts where nothing was. */
export const ProtectionList = z.object({
  model: Name,
  protections: z.array(ProtectionView),
  defaults: Protection,
});
export type ProtectionList = z.infer<typeof ProtectionList>;

export const FlagEvidence = z.record(z.string(), z.number());
export type FlagEvidence = z.infer<typeof FlagEvidence>;

export const MisuseFlag = z.object({
  id: z.int(),
  subject: z.string(),
  model: z.string(),
  kind: FlagKind,
  /** The numbers that led to it. */
  evidence: FlagEvidence,
  flaggedAt: z.string(),
  liftedAt: z.string().optional(),
  liftedBy: z.string().optional(),
  liftReason: z.string().optional(),
});
export type MisuseFlag = z.infer<typeof MisuseFlag>;

export const FlagQuery = z.strictObject({
  subject: z.string().min(1).max(256).optional(),
  model: Name.optional(),
  /** Those that were lifted, too. */
  all: z.stringbool().default(false),
  limit: z.coerce.number<string | number>().int().min(1).max(500).default(100),
  pageToken: z.string().min(1).max(64).optional(),
});

export const FlagList = z.object({ flags: z.array(MisuseFlag), nextPageToken: z.string().optional() });

/** Body of `POST /v1/misuse/flags/{id}/lift`. */
export const LiftRequest = z.strictObject({ reason: z.string().trim().min(1).max(500) });
export type LiftRequest = z.infer<typeof LiftRequest>;
