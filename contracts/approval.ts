import { z } from 'zod';
import { Sha256 } from './reference.ts';

/** Body of `POST /v1/workflows/{id}/approve`. */
export const ApprovalRequest = z.strictObject({
  decision: z.enum(['approve', 'reject']),
  /** Digest that the approver saw (`progress.approval.subjectDigest`). */
  subjectDigest: Sha256,
  comment: z.string().max(2000).optional(),
});
export type ApprovalRequest = z.infer<typeof ApprovalRequest>;

/** Claims of the JWS that the API signs (OpenBao transit) after policy allowed the decision. Type `approval+jwt`. */
export const ApprovalClaims = z.strictObject({
  iss: z.string(),
  sub: z.string(),
  jti: z.string(),
  iat: z.int(),
  exp: z.int(),
  workflowId: z.string(),
  runId: z.string(),
  stage: z.string(),
  subjectDigest: Sha256,
  decision: z.enum(['approve', 'reject']),
  comment: z.string().max(2000).optional(),
});
export type ApprovalClaims = z.infer<typeof ApprovalClaims>;

/** Argument of the update `approve`; its update id is the claim `jti`. */
export const ApproveUpdate = z.strictObject({
  jws: z
    .string()
    .max(8192)
    .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, 'a JWS in compact serialization (RFC 7515)'),
});
export type ApproveUpdate = z.infer<typeof ApproveUpdate>;

export const CancelUpdate = z.strictObject({ reason: z.string().min(1).max(500) });
export type CancelUpdate = z.infer<typeof CancelUpdate>;

export const RetryStageUpdate = z.strictObject({ stage: z.string().min(1).max(64) });
export type RetryStageUpdate = z.infer<typeof RetryStageUpdate>;
