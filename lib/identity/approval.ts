import { randomUUID } from 'node:crypto';
import { ApprovalClaims } from '../../contracts/approval.ts';
import { IdentityError } from './errors.ts';
import { MAX_JWS_LENGTH, openJws } from './jws.ts';
import type { TransitKeySet } from './key-set.ts';

const TYP = 'approval+jwt';

/** Time for the decision to reach its workflow and be verified there, seconds. */
const TTL_SECONDS = 900;

export interface SignApprovalOptions {
  readonly keys: TransitKeySet;
  readonly issuer: string;
  readonly approval: Omit<ApprovalClaims, 'iss' | 'jti' | 'iat' | 'exp'>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Signs a decision that policy has allowed. Throws `REQUEST_INVALID` when the comment makes it too long, or BaoError. */
export async function signApproval(options: SignApprovalOptions): Promise<{ jws: string; claims: ApprovalClaims }> {
  const iat = Math.floor((options.now ?? Date.now)() / 1000);
  const claims = ApprovalClaims.parse({
    ...options.approval,
    iss: options.issuer,
    jti: randomUUID(),
    iat,
    exp: iat + TTL_SECONDS,
  });
  const jws = await options.keys.sign(TYP, claims);
  if (jws.length > MAX_JWS_LENGTH) {
    throw new IdentityError('REQUEST_INVALID', 'The comment is too long.', { field: 'comment' });
  }
  return { jws, claims };
}

export interface ExpectedApproval {
  readonly workflowId: string;
  readonly runId: string;
  readonly stage: string;
  readonly subjectDigest: string;
  /** Subject who started the workflow; another one must decide. */
  readonly requestedBy: string;
}

export interface VerifyApprovalOptions {
  readonly keys: TransitKeySet;
  readonly issuer: string;
  readonly expected: ExpectedApproval;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * Claims of a decision that the API signed for exactly this run, stage and subject.
 * Throws `APPROVAL_INVALID`, `APPROVAL_SUBJECT_MISMATCH`, `APPROVAL_SAME_PERSON`, or BaoError.
 */
export async function verifyApproval(jws: string, options: VerifyApprovalOptions): Promise<ApprovalClaims> {
  const { expected } = options;
  const { payload } = await openJws(jws, {
    keys: options.keys,
    issuer: options.issuer,
    now: options.now ?? Date.now,
    typ: TYP,
    requiredClaims: ['exp', 'iat', 'sub', 'jti'],
    maxTokenAge: TTL_SECONDS,
    noun: 'approval',
    code: 'APPROVAL_INVALID',
  });
  const parsed = ApprovalClaims.safeParse(payload);
  if (!parsed.success) throw new IdentityError('APPROVAL_INVALID', 'The claims are not those of an approval.');
  const claims = parsed.data;
  for (const name of ['workflowId', 'runId', 'stage'] as const) {
    if (claims[name] === expected[name]) continue;
    throw new IdentityError('APPROVAL_INVALID', `The approval is for another ${name}.`, { field: name });
  }
  if (claims.subjectDigest !== expected.subjectDigest) {
    throw new IdentityError('APPROVAL_SUBJECT_MISMATCH', 'The approval is for another subject.', {
      field: 'subjectDigest',
    });
  }
  if (claims.sub === expected.requestedBy) {
    throw new IdentityError('APPROVAL_SAME_PERSON', 'The requester cannot decide about the own request.');
  }
  return claims;
}
