import type { CpuActivities } from '../../../contracts/activities.ts';
import type { ApprovalClaims } from '../../../contracts/approval.ts';
import { SaipError } from '../../../contracts/errors.ts';
import { ref } from './refs.ts';

export const SUBJECT = ref('subject').sha256;

type Expected = Parameters<CpuActivities['verifyApproval']>[0]['expected'];

/** The rules of an approval without its signature; `test/identity` covers the signature. */
export function verifyUnsigned(jws: string, expected: Expected): ApprovalClaims {
  const [, payload = '', signature] = jws.split('.');
  if (signature !== 'signed') throw new SaipError('APPROVAL_INVALID', 'The signature does not verify.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as ApprovalClaims;
  if (claims.workflowId !== expected.workflowId || claims.subjectDigest !== expected.subjectDigest) {
    throw new SaipError('APPROVAL_SUBJECT_MISMATCH', 'The approval is about something else.');
  }
  if (claims.sub === expected.requestedBy) {
    throw new SaipError('APPROVAL_SAME_PERSON', 'The requester cannot approve.');
  }
  return claims;
}

export function unsignedApproval(claims: Partial<ApprovalClaims>, signature = 'signed'): string {
  const whole = {
    iss: 'https://api',
    sub: 'approver-1',
    jti: 'jti-1',
    iat: 0,
    exp: 0,
    stage: 'approval',
    subjectDigest: SUBJECT,
    decision: 'approve',
    ...claims,
  };
  return ['e30', Buffer.from(JSON.stringify(whole)).toString('base64url'), signature].join('.');
}
