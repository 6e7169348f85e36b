import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { SaipError } from '../../contracts/errors.ts';
import type { ReleaseInput, ReleaseResult } from '../../contracts/sign-and-release.ts';
import { releaseStart, releaseWorkflowId } from '../../contracts/workflows.ts';
import { blocking, failureType, progressOf, untilProgress } from './support/driver.ts';
import { startWorkflowTest } from './support/environment.ts';
import type { WorkflowTest } from './support/environment.ts';
import { DECISION, releaseInput } from './support/release-world.ts';
import { World } from './support/world.ts';
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

type SignAndRelease = (input: ReleaseInput) => Promise<ReleaseResult>;

function start(
  input = releaseInput(),
  changes: Partial<AllActivities> = {},
  workflowId: string = randomUUID(),
): Promise<WorkflowHandle<SignAndRelease>> {
  test.use(world.activities(changes));
  const { workflowType, taskQueue, staticSummary, priority } = releaseStart(input);
  return test.client.workflow.start<SignAndRelease>(workflowType, {
    workflowId,
    taskQueue,
    staticSummary,
    priority,
    args: [input],
  });
}

async function release(input = releaseInput(), changes: Partial<AllActivities> = {}) {
  const handle = await start(input, changes);
  return { result: await handle.result(), progress: await progressOf(handle) };
}

const JWS = 'header.claims.signature';
const asks = {
  allow: true,
  requireApproval: true,
  reasons: ['nobody has attacked it'],
  rule: 'approval:no-attack-report',
};

/** Answers the open question as the API would: with an id that the approval carries. */
async function answer(handle: WorkflowHandle<SignAndRelease>, jti: string): Promise<unknown> {
  await untilProgress(handle, ({ approval }) => approval !== undefined);
  return handle.executeUpdate('approve', { args: [{ jws: JWS }], updateId: jti });
}

function verdict(jti: string, decision: 'approve' | 'reject', sub = 'bob'): Pick<AllActivities, 'verifyApproval'> {
  return {
    verifyApproval: async ({ expected }) => {
      if (sub === expected.requestedBy) throw new SaipError('APPROVAL_SAME_PERSON', 'The requester cannot decide.');
      const { workflowId, runId, stage, subjectDigest } = expected;
      return { iss: 'test', sub, jti, iat: 1, exp: 2, workflowId, runId, stage, subjectDigest, decision };
    },
  };
}

describe('a release that policy allows', () => {
  it('goes through every stage, and is published, verified and mirrored', async () => {
    const { result, progress } = await release();
    expect(result).toEqual({
      outcome: 'completed',
      reasons: [],
      model: 'tiny',
      version: '1',
      decision: world.releases.answer,
      release: {
        digest: expect.any(String),
        manifestSha256: world.releases.published.get('tiny@1'),
        publishedAt: expect.any(String),
        files: 14,
        key: expect.any(String),
      },
    });
    expect(progress.stages.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'collectEvidence done',
      'sbom done',
      'mlBom done',
      'policy done',
      'approval skipped',
      'sign done',
      'provenance done',
      'publish done',
      'verify done',
    ]);
    expect(world.releases.mirrored).toEqual(['tiny@1']);
    expect(world.audited).toEqual(['releaser-1 workflow:release completed']);
  });

  it('does not depend on MLflow', async () => {
    const mirrorRelease = () => Promise.reject(new SaipError('MLFLOW_UNAVAILABLE', 'MLflow is away.'));
    const { result } = await release(releaseInput(), { mirrorRelease });
    expect(result).toMatchObject({ outcome: 'completed', reasons: [expect.stringContaining('MLFLOW_UNAVAILABLE')] });
  });
});

describe('a refusal', () => {
  it.each([
    ['deny:evidence-missing', 'RELEASE_EVIDENCE_MISSING'],
    ['deny:metric-below-floor', 'RELEASE_POLICY_DENIED'],
  ])('by %s signs and publishes nothing', async (rule, code) => {
    world.releases.answer = { allow: false, requireApproval: false, reasons: ['no'], rule };
    const { result, progress } = await release();
    expect(result).toEqual({
      outcome: 'rejected',
      reasons: ['no'],
      code,
      model: 'tiny',
      version: '1',
      decision: world.releases.answer,
    });
    expect(progress.stages.find(({ name }) => name === 'policy')?.status).toBe('failed');
    expect(world.releases.signatures).toBe(0);
    expect(world.releases.published.size).toBe(0);
    expect(world.audited).toEqual(['releaser-1 workflow:release rejected']);
  });

  it('of a version that cannot be described is one, too', async () => {
    const writeModelBom = () => Promise.reject(new SaipError('RELEASE_EVIDENCE_MISSING', 'no data card'));
    const { result } = await release(releaseInput(), { writeModelBom });
    expect(result).toMatchObject({ outcome: 'rejected', code: 'RELEASE_EVIDENCE_MISSING', reasons: ['no data card'] });
    expect(world.releases.signatures).toBe(0);
  });
});

describe('another person', () => {
  beforeEach(() => {
    world.releases.answer = asks;
  });

  it('is asked about the decision, and the signing worker gets the proof', async () => {
    let draft: unknown;
    const signs: Pick<AllActivities, 'signRelease'> = {
      signRelease: async (a) => {
        draft = a.draft;
        return { digest: a.draft.collected.digest, signature: a.draft.collected.signature };
      },
    };
    const handle = await start(releaseInput(), { ...verdict('jti-1', 'approve'), ...signs });
    await answer(handle, 'jti-1');
    expect(await handle.result()).toMatchObject({ outcome: 'completed', approvedBy: 'bob' });
    expect(draft).toMatchObject({ approval: { jws: JWS, claims: { sub: 'bob', subjectDigest: DECISION } } });
    expect(world.audited).toEqual(['bob workflow:approve approve', 'releaser-1 workflow:release completed']);
  });

  it('may say no', async () => {
    const handle = await start(releaseInput(), verdict('jti-2', 'reject'));
    await answer(handle, 'jti-2');
    expect(await handle.result()).toMatchObject({ outcome: 'rejected', code: 'RELEASE_NOT_APPROVED' });
    expect(world.releases.signatures).toBe(0);
  });

  it('is not the requester', async () => {
    const handle = await start(releaseInput(), verdict('jti-3', 'approve', 'releaser-1'));
    expect(await failureType(answer(handle, 'jti-3'))).toBe('APPROVAL_SAME_PERSON');
    await handle.executeUpdate('cancel', { args: [{ reason: 'end of the test' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled' });
    expect(world.releases.published.size).toBe(0);
  });

  it('who does not come in time ends it', async () => {
    const { result } = await release(releaseInput({ approval: { required: false, timeoutSeconds: 3600 } }));
    expect(result).toMatchObject({ outcome: 'rejected', code: 'RELEASE_NOT_APPROVED', reasons: [expect.any(String)] });
  });
});

describe('what goes wrong', () => {
  it('before publication publishes nothing', async () => {
    const writeProvenance = () => Promise.reject(new SaipError('SECRET_FORBIDDEN', 'not this login'));
    expect(await failureType(release(releaseInput(), { writeProvenance }))).toBe('SECRET_FORBIDDEN');
    expect(world.releases.published.size).toBe(0);
    expect(world.counts()).not.toHaveProperty('withdrawRelease');
  });

  it('after publication takes the release back', async () => {
    const verifyRelease = () => Promise.reject(new SaipError('RELEASE_DIGEST_MISMATCH', 'model.onnx was changed'));
    expect(await failureType(release(releaseInput(), { verifyRelease }))).toBe('RELEASE_DIGEST_MISMATCH');
    expect(world.releases.published.size).toBe(0);
    expect(world.releases.mirrored).toEqual([]);
    expect(world.audited).toEqual(['releaser-1 workflow:release failed']);
  });

  it('in the middle of a cancelled publication is taken back', async () => {
    const block = blocking();
    const handle = await start(releaseInput(), { verifyRelease: block.activity });
    await block.reached;
    await handle.executeUpdate('cancel', { args: [{ reason: 'wrong version' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', reasons: ['wrong version'] });
    expect(world.releases.published.size).toBe(0);
  });

  it('is a second release of the same version', async () => {
    await release();
    expect(await failureType(release())).toBe('RELEASE_EXISTS');
    expect(world.releases.published.size).toBe(1);
  });
});

it('one release of a version runs at a time', async () => {
  const block = blocking();
  const id = releaseWorkflowId('tiny', '1');
  const handle = await start(releaseInput(), { collectEvidence: block.activity }, id);
  await block.reached;
  await expect(start(releaseInput(), {}, id)).rejects.toThrow('already started');
  await handle.terminate('end of the test');
});

it('refuses an input that is none', async () => {
  expect(await failureType(release({ ...releaseInput(), version: '../1' }))).toBe('REQUEST_INVALID');
});
