import { z } from 'zod';
import { Name, Sha256 } from './reference.ts';
import { PolicyAnswer, ReleaseRisk, VersionNumber } from './release.ts';
import { ApprovalRule } from './train-register-deploy.ts';

/** Stages of `signAndRelease`, in order. */
export const RELEASE_STAGES = [
  'collectEvidence',
  'sbom',
  'mlBom',
  'policy',
  'approval',
  'sign',
  'provenance',
  'publish',
  'verify',
] as const;
export const ReleaseStage = z.enum(RELEASE_STAGES);
export type ReleaseStage = z.infer<typeof ReleaseStage>;

/** Body of `POST /v1/workflows/sign-and-release`. */
export const ReleaseRequest = z.strictObject({
  model: Name,
  /** Default: the champion at the time of the request. */
  version: VersionNumber.optional(),
  notes: z.string().min(1).max(2000).optional(),
  risk: ReleaseRisk.default('medium'),
  /** Refuse without a report of an attack; policy asks for one by itself where the risk is high. */
  requireAttackReport: z.boolean().default(false),
  /** `required` asks for another person also where policy does not. */
  approval: ApprovalRule.prefault({}),
});
export type ReleaseRequest = z.infer<typeof ReleaseRequest>;

/** Workflow input: the request with the version resolved, and who asked. */
export const ReleaseInput = z.strictObject({
  model: Name,
  version: VersionNumber,
  notes: z.string().optional(),
  risk: ReleaseRisk,
  requireAttackReport: z.boolean(),
  approval: ApprovalRule,
  /** Subject of the token. */
  requestedBy: z.string(),
  tenant: z.string().default('default'),
});
export type ReleaseInput = z.infer<typeof ReleaseInput>;

/** Result of the workflow. `rejected` is a business outcome: evidence, policy or a person said no, and nothing was published. */
export const ReleaseResult = z.strictObject({
  outcome: z.enum(['completed', 'rejected', 'cancelled']),
  reasons: z.array(z.string()),
  model: Name,
  version: VersionNumber,
  /** Why it was rejected: `RELEASE_EVIDENCE_MISSING`, `RELEASE_POLICY_DENIED` or `RELEASE_NOT_APPROVED`. */
  code: z.string().optional(),
  decision: PolicyAnswer.optional(),
  approvedBy: z.string().optional(),
  release: z
    .strictObject({
      digest: Sha256,
      manifestSha256: Sha256,
      publishedAt: z.string(),
      files: z.int(),
      key: Sha256.optional(),
    })
    .optional(),
});
export type ReleaseResult = z.infer<typeof ReleaseResult>;
