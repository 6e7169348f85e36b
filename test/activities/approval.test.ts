import { describe, expect, it } from '@jest/globals';
import { createApprovalActivities } from '../../activities/approval/index.ts';
import { signApproval, TransitKeySet } from '../../lib/identity/index.ts';
import { LocalTransit } from '../support/local-transit.ts';

const issuer = 'http://127.0.0.1:8080';
const subjectDigest = 'c'.repeat(64);
const place = { workflowId: 'train-1', runId: 'run-1', stage: 'approval', subjectDigest };
const expected = { ...place, requestedBy: 'ann@local' };
const approval = { ...place, sub: 'bob@local', decision: 'reject' } as const;

describe('verifyApproval', () => {
  const transit = new LocalTransit();
  const keys = new TransitKeySet({ transit, key: 'approvals' });
  const activities = createApprovalActivities({ keys, issuer });

  it('gives the decision that the API signed', async () => {
    const { jws } = await signApproval({ keys, issuer, approval });
    expect(await activities.verifyApproval({ jws, expected })).toMatchObject({ sub: 'bob@local', decision: 'reject' });
  });

  it('refuses an invented identity', async () => {
    const invented = new TransitKeySet({ transit: new LocalTransit(), key: 'approvals' });
    const { jws } = await signApproval({ keys: invented, issuer, approval: { ...approval, decision: 'approve' } });
    await expect(activities.verifyApproval({ jws, expected })).rejects.toMatchObject({ code: 'APPROVAL_INVALID' });
  });
});
