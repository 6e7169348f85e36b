import { afterAll, describe, expect, it } from '@jest/globals';
import { signApproval, TokenIssuer, TokenVerifier, TransitKeySet, verifyApproval } from '../../lib/identity/index.ts';
import { sha256 } from '../support/local-transit.ts';
import { stackBao } from '../support/stack-bao.ts';

const issuer = 'http://127.0.0.1:8080';
const audience = 'saip';
const place = { workflowId: 'train-1', runId: 'run-1', stage: 'approval', subjectDigest: 'd'.repeat(64) };
const approval = { ...place, sub: 'bob@local', decision: 'approve' } as const;
const expected = { ...place, requestedBy: 'ann@local' };

const api = stackBao('api');
const worker = stackBao('worker-cpu');
const release = stackBao('worker-release');

afterAll(() => Promise.all([api.close(), worker.close(), release.close()]));

describe('with the logins of the stack', () => {
  it('the API issues tokens that every process verifies', async () => {
    const client = {
      clientId: 'ci',
      secretSha256: sha256('secret'),
      subject: 'ci@local',
      roles: ['viewer'],
      tenant: 'default',
    } as const;
    const keys = new TransitKeySet({ transit: api, key: 'tokens' });
    const tokens = new TokenIssuer({ keys, clients: { find: async () => client }, issuer, audience });
    const { accessToken } = await tokens.issue({ clientId: 'ci', clientSecret: 'secret' });
    for (const transit of [api, worker, release]) {
      const own = new TransitKeySet({ transit, key: 'tokens' });
      const { principal } = await new TokenVerifier({ keys: own, issuer, audience }).verify(accessToken);
      expect(principal).toEqual({ sub: 'ci@local', roles: ['viewer'], tenant: 'default' });
    }
  });

  it('the API signs approvals that a worker verifies', async () => {
    const { jws, claims } = await signApproval({
      keys: new TransitKeySet({ transit: api, key: 'approvals' }),
      issuer,
      approval,
    });
    const keys = new TransitKeySet({ transit: worker, key: 'approvals' });
    expect(await verifyApproval(jws, { keys, issuer, expected })).toEqual(claims);
  });

  it.each([
    ['worker-cpu', worker],
    ['worker-release', release],
  ])('%s can sign neither tokens nor approvals', async (_name, transit) => {
    for (const key of ['tokens', 'approvals']) {
      const keys = new TransitKeySet({ transit, key });
      await expect(keys.sign('approval+jwt', { ...approval })).rejects.toMatchObject({ code: 'SECRET_FORBIDDEN' });
    }
  });

  it('a token is no approval, although the same process signs both', async () => {
    const tokens = new TransitKeySet({ transit: api, key: 'tokens' });
    const { jws } = await signApproval({ keys: tokens, issuer, approval });
    const keys = new TransitKeySet({ transit: worker, key: 'approvals' });
    await expect(verifyApproval(jws, { keys, issuer, expected })).rejects.toMatchObject({ code: 'APPROVAL_INVALID' });
  });
});
