import type { CpuActivities } from '../../contracts/activities.ts';
import { verifyApproval, type TransitKeySet } from '../../lib/identity/index.ts';

export interface ApprovalDependencies {
  /** Key set of the transit key `approvals`. */
  readonly keys: TransitKeySet;
  /** Public URL of the API, which signs approvals. */
  readonly issuer: string;
}

/** A workflow checks only the shape of an approval; this is where its signature and its claims are verified. */
export function createApprovalActivities({
  keys,
  issuer,
}: ApprovalDependencies): Pick<CpuActivities, 'verifyApproval'> {
  return {
    verifyApproval: ({ jws, expected }) => verifyApproval(jws, { keys, issuer, expected }),
  };
}
