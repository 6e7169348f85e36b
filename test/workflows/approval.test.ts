import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ApprovalClaims } from '../../contracts/approval.ts';
import { SaipError } from '../../contracts/errors.ts';
import { failureType, progressOf, startTraining, untilProgress } from './support/driver.ts';
import { startWorkflowTest } from './support/environment.ts';
import type { WorkflowTest } from './support/environment.ts';
import { SUBJECT, unsignedApproval } from './support/approvals.ts';
import { trainInput, World } from './support/world.ts';
import type { AllActivities } from './support/world.ts';

let test: WorkflowTest;
let world: World;
beforeAll(async () => {
  test = await startWorkflowTest();
});
afterAll(() => test.close());
beforeEach(() => {
  world = new World();
});

const TWO_DAYS = 2 * 86_400;
const asksForApproval = trainInput({ approval: { required: true, timeoutSeconds: TWO_DAYS } });

function start(changes: Partial<AllActivities> = {}, input = asksForApproval) {
  test.use(world.activities(changes));
  return startTraining(test.client, input);
}

/** A training that waits for its approval, and how to answer it. */
async function waiting(changes: Partial<AllActivities> = {}) {
  const handle = await start(changes);
  const progress = await untilProgress(handle, ({ approval }) => approval !== undefined);
  let answers = 0;
  return {
    handle,
    progress,
    approve: (claims: Partial<ApprovalClaims> = {}, options: { signature?: string; updateId?: string } = {}) => {
      const jti = claims.jti ?? `jti-${(answers += 1)}`;
      const jws = unsignedApproval({ workflowId: handle.workflowId, ...claims, jti }, options.signature);
      return handle.executeUpdate('approve', { args: [{ jws }], updateId: options.updateId ?? jti });
    },
  };
}

describe('an approval', () => {
  it('is asked for with the subject, the requester and a deadline', async () => {
    const { progress, approve, handle } = await waiting();
    expect(progress).toMatchObject({
      stage: 'approval',
      approval: { stage: 'approval', subjectDigest: SUBJECT, requestedBy: 'trainer-1' },
    });
    const { startedAt } = progress.stages.find(({ name }) => name === 'approval') ?? {};
    const deadline = Date.parse(progress.approval?.deadline ?? '') - Date.parse(startedAt ?? '');
    expect(deadline / 1000).toBeCloseTo(TWO_DAYS, -1);
    await approve();
    await handle.result();
  });

  it('lets the run go on, and is audited', async () => {
    const { approve, handle } = await waiting();
    expect(await approve()).toEqual({ decision: 'approve', sub: 'approver-1' });
    expect(await handle.result()).toMatchObject({ outcome: 'completed', alias: 'champion' });
    expect(world.audited).toContain('approver-1 workflow:approve approve');
    expect((await progressOf(handle)).approval).toBeUndefined();
  });

  it('that says no ends the run as rejected, with the comment', async () => {
    const { approve, handle } = await waiting();
    await approve({ decision: 'reject', comment: 'biased' });
    expect(await handle.result()).toMatchObject({ outcome: 'rejected', reasons: ['approver-1 rejected it: biased'] });
    expect(world.counts()).not.toHaveProperty('signModel');
    expect(world.finished).toMatchObject([{ status: 'FINISHED', outcome: 'rejected' }]);
  });

  it('that nobody gives in time ends the run as rejected', async () => {
    const handle = await start();
    expect(await handle.result()).toMatchObject({
      outcome: 'rejected',
      reasons: [`nobody approved within ${TWO_DAYS} s`],
    });
    expect(await failureType(handle.executeUpdate('approve', { args: [{ jws: 'a.b.c' }] }))).toContain('NotFound');
  });

  it('does not hold up a cancellation', async () => {
    const { handle } = await waiting();
    await handle.executeUpdate('cancel', { args: [{ reason: 'enough' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', reasons: ['enough'] });
  });
});

describe('a refused approval fails its update, and the run keeps waiting', () => {
  it.each([
    ['a forged signature', {}, { signature: 'forged' }, 'APPROVAL_INVALID'],
    ['the requester', { sub: 'trainer-1' }, {}, 'APPROVAL_SAME_PERSON'],
    ['another subject', { subjectDigest: 'f'.repeat(64) }, {}, 'APPROVAL_SUBJECT_MISMATCH'],
    ['another workflow', { workflowId: 'other' }, {}, 'APPROVAL_SUBJECT_MISMATCH'],
    ['another update id', { jti: 'jti-1' }, { updateId: 'replayed' }, 'APPROVAL_INVALID'],
  ])('%s', async (_, claims, options, code) => {
    const { approve, handle } = await waiting();
    expect(await failureType(approve(claims, options))).toBe(code);
    expect((await progressOf(handle)).approval).toBeDefined();
    expect(world.counts()).not.toHaveProperty('signModel');
    await approve();
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
  });

  it('a key server that is away', async () => {
    let away = true;
    const verifyApproval: AllActivities['verifyApproval'] = (question) =>
      away
        ? Promise.reject(new SaipError('SECRET_UNAVAILABLE', 'OpenBao is sealed.'))
        : new World().activities().verifyApproval(question);
    const { approve, handle } = await waiting({ verifyApproval });
    expect(await failureType(approve())).toBe('SECRET_UNAVAILABLE');
    away = false;
    await approve();
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
  });

  it('an audit log that does not take the decision', async () => {
    let broken = true;
    const audit: AllActivities['audit'] = async () => {
      if (broken) throw new SaipError('DATABASE_REJECTED', 'No such table.');
    };
    const { approve, handle } = await waiting({ audit });
    expect(await failureType(approve())).toBe('DATABASE_REJECTED');
    broken = false;
    await approve();
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
  });
});

describe('the validator of approve', () => {
  it('refuses before a person is asked', async () => {
    const { promise: proceed, resolve } = Promise.withResolvers<void>();
    const decideGates: AllActivities['decideGates'] = async (question) => {
      await proceed;
      return new World().activities().decideGates(question);
    };
    const handle = await start({ decideGates });
    await untilProgress(handle, ({ stage }) => stage === 'gates');
    const early = handle.executeUpdate('approve', { args: [{ jws: unsignedApproval({}) }] });
    expect(await failureType(early)).toBe('APPROVAL_NOT_WAITING');
    resolve();
    await untilProgress(handle, ({ approval }) => approval !== undefined);
    await handle.executeUpdate('cancel', { args: [{ reason: 'end of the test' }] });
    await handle.result();
  });

  it.each([[{}], [{ jws: 'not a jws' }], [{ jws: 'a.b.c', sub: 'admin' }], ['approve']])('refuses %j', async (body) => {
    const { handle } = await waiting();
    expect(await failureType(handle.executeUpdate('approve', { args: [body] }))).toBe('REQUEST_INVALID');
    await handle.executeUpdate('cancel', { args: [{ reason: 'end of the test' }] });
    await handle.result();
  });
});
