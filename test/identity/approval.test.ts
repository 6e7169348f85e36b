import { beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { signApproval, TransitKeySet, verifyApproval, type ExpectedApproval } from '../../lib/identity/index.ts';
import { LocalTransit } from '../support/local-transit.ts';

const issuer = 'http://127.0.0.1:8080';
const subjectDigest = 'a'.repeat(64);
const expected: ExpectedApproval = {
  workflowId: 'train-1',
  runId: 'run-1',
  stage: 'approval',
  subjectDigest,
  requestedBy: 'ann@local',
};
const approval = {
  sub: 'bob@local',
  workflowId: 'train-1',
  runId: 'run-1',
  stage: 'approval',
  subjectDigest,
  decision: 'approve',
} as const;

let clock: number;
let keys: TransitKeySet;
const now = () => clock;

beforeEach(() => {
  clock = Date.UTC(2026, 0, 1);
  keys = new TransitKeySet({ transit: new LocalTransit(), key: 'approvals', now });
});

const signed = async (change: Partial<typeof approval> & { comment?: string } = {}) =>
  (await signApproval({ keys, issuer, approval: { ...approval, ...change }, now })).jws;
const verify = (jws: string, change: Partial<ExpectedApproval> = {}) =>
  verifyApproval(jws, { keys, issuer, expected: { ...expected, ...change }, now });

describe('approvals', () => {
  it('give their claims back to the run they are for', async () => {
    const { jws, claims } = await signApproval({ keys, issuer, approval: { ...approval, comment: 'fine' }, now });
    expect(await verify(jws)).toEqual(claims);
    expect(claims).toMatchObject({ iss: issuer, sub: 'bob@local', decision: 'approve', comment: 'fine' });
    expect(claims.exp - claims.iat).toBe(900);
    expect(decodeJwt(jws).jti).toBe(claims.jti);
  });

  it.each(['workflowId', 'runId', 'stage'] as const)('are refused for another %s', async (name) => {
    await expect(verify(await signed(), { [name]: 'other' })).rejects.toMatchObject({
      code: 'APPROVAL_INVALID',
      field: name,
    });
  });

  it('are refused for another subject', async () => {
    await expect(verify(await signed(), { subjectDigest: 'b'.repeat(64) })).rejects.toMatchObject({
      code: 'APPROVAL_SUBJECT_MISMATCH',
    });
  });

  it('are refused from the person who asked', async () => {
    await expect(verify(await signed(), { requestedBy: 'bob@local' })).rejects.toMatchObject({
      code: 'APPROVAL_SAME_PERSON',
    });
  });

  it('expire', async () => {
    const jws = await signed();
    clock += 930_000;
    await expect(verify(jws)).rejects.toMatchObject({ code: 'APPROVAL_INVALID', message: 'The approval has expired.' });
  });

  it('are refused when another key signed them', async () => {
    const forger = new TransitKeySet({ transit: new LocalTransit(), key: 'approvals', now });
    const { jws } = await signApproval({ keys: forger, issuer, approval, now });
    await expect(verify(jws)).rejects.toMatchObject({ code: 'APPROVAL_INVALID' });
  });

  it('are refused from another issuer', async () => {
    const { jws } = await signApproval({ keys, issuer: 'https://attacker.example', approval, now });
    await expect(verify(jws)).rejects.toMatchObject({ code: 'APPROVAL_INVALID' });
  });

  it('are refused when they are an access token, or claim more than an approval', async () => {
    const claims = decodeJwt(await signed());
    await expect(verify(await keys.sign('at+jwt', claims))).rejects.toMatchObject({ code: 'APPROVAL_INVALID' });
    await expect(verify(await keys.sign('approval+jwt', { ...claims, roles: ['admin'] }))).rejects.toMatchObject({
      code: 'APPROVAL_INVALID',
    });
  });

  it('are refused as plain text', async () => {
    for (const text of ['', 'a.b.c', JSON.stringify({ ...approval })]) {
      await expect(verify(text)).rejects.toMatchObject({ code: 'APPROVAL_INVALID' });
    }
  });

  it('are not made longer than a workflow accepts', async () => {
    await expect(signed({ comment: '€'.repeat(2000) })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      field: 'comment',
    });
  });
});
