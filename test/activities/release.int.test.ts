import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SignAndReleaseActivities, SignedRelease } from '../../contracts/release-activities.ts';
import { loadToolchain } from '../../infra/local/toolchain.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { ModelRegistry, Releases } from '../../lib/clients/index.ts';
import { ReleaseStore } from '../../lib/release/index.ts';
import { transitPublicKeys, transitSigner } from '../../lib/supplychain/index.ts';
import { LocalTransit } from '../support/local-transit.ts';
import { createPrivateDatabase } from '../support/private-database.ts';
import { stackBao } from '../support/stack-bao.ts';
import { stackEnv } from '../support/stack.ts';
import {
  approved,
  draftRelease,
  registerVersion,
  releaseActivities,
  type Drafted,
  type Servers,
  type VersionChanges,
} from './support/released-version.ts';

const root = mkdtempSync(join(tmpdir(), 'saip-releases-'));
let servers: Servers;
let activities: SignAndReleaseActivities;

beforeAll(async () => {
  servers = {
    root,
    store: new ArtifactStore({ root }),
    database: await createPrivateDatabase(),
    mlflowUrl: stackEnv('worker-cpu')['SAIP_MLFLOW_URL'] ?? '',
    release: stackBao('worker-release'),
    api: stackBao('api'),
  };
  activities = await releaseActivities(servers);
});

afterAll(async () => {
  await servers.database.drop();
  await servers.release.close();
  await servers.api.close();
  rmSync(root, { recursive: true });
});

async function sign({ run, input, draft }: Drafted, by = activities): Promise<SignedRelease> {
  const { signature } = await by.signRelease({ run, draft });
  const times = { startedAt: '2026-01-01T00:00:00.000Z', finishedAt: '2026-01-01T00:00:10.000Z' };
  return by.writeProvenance({ run, input, draft, modelSignature: signature, ...times });
}

const draftOf = async (changes: VersionChanges = {}) =>
  draftRelease(activities, await registerVersion(servers, changes));
const folderOf = ({ input: { model, version } }: Drafted) => join(root, 'releases', model, version);
const rowOf = ({ input: { model, version } }: Drafted) => new Releases(servers.database.worker).find(model, version);

describe('a release on the real servers', () => {
  let drafted: Drafted;
  let signed: SignedRelease;

  it('is collected, decided, signed, published and verified', async () => {
    drafted = await approved(servers, await draftOf());
    expect(drafted.draft.collected.evidence.map(({ kind }) => kind)).toEqual(['dataCard', 'metrics', 'lineage']);
    expect(drafted.draft.decision.answer).toMatchObject({ allow: true, rule: 'approval:no-attack-report' });
    signed = await sign(drafted);
    const published = await activities.publishRelease({ run: drafted.run, signed });
    expect(published).toMatchObject({ requestedBy: 'ann', approvedBy: 'bob', files: 13 });
    const { model, version, manifestSha256 } = published;
    const verified = await activities.verifyRelease({ model, version, manifestSha256 });
    expect(verified).toMatchObject({ model, version, manifestSha256, approvedBy: 'bob', files: 13 });
  }, 60_000);

  it('has a model folder that the reference implementation of OpenSSF Model Signing verifies', async () => {
    const [pem = ''] = await transitPublicKeys(servers.release, 'releases');
    const key = join(root, 'release.pem');
    await writeFile(key, pem);
    const signature = join(folderOf(drafted), 'signatures/model.sigstore.json');
    const verify = ['verify', 'key', join(folderOf(drafted), 'model'), '--signature', signature, '--public_key', key];
    const { status, stdout, stderr } = spawnSync(loadToolchain().modelSigning, verify, { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('Verification succeeded');
    expect(status).toBe(0);
  });

  it('is published once, however often and by however many', async () => {
    const { run } = drafted;
    const results = await Promise.all([1, 2].map(() => activities.publishRelease({ run, signed })));
    expect(results[0]).toEqual(results[1]);
    const again = await draftRelease(activities, drafted.input).catch((error: unknown) => error);
    expect(again).toMatchObject({ code: 'RELEASE_EXISTS' });
    const other = await sign(drafted);
    await expect(activities.publishRelease({ run, signed: other })).rejects.toMatchObject({ code: 'RELEASE_EXISTS' });
    expect((await rowOf(drafted))?.manifestSha256).toBe(signed.manifest.sha256);
  });

  it('is taken back by the run that published it, and by no other', async () => {
    const { run, input } = drafted;
    const { model, version } = input;
    await activities.withdrawRelease({ run: { ...run, runId: 'other' }, model, version, reason: 'test' });
    expect(await rowOf(drafted)).toBeDefined();
    await activities.withdrawRelease({ run, model, version, reason: 'test' });
    await activities.withdrawRelease({ run, model, version, reason: 'test' });
    expect(await rowOf(drafted)).toBeUndefined();
    expect(existsSync(folderOf(drafted))).toBe(false);
    await expect(activities.publishRelease({ run, signed })).resolves.toMatchObject({ model, version });
  });

  it('that was changed on disk is not verified', async () => {
    const { model, version } = drafted.input;
    const file = join(folderOf(drafted), 'model/model.onnx');
    const bytes = await readFile(file);
    rmSync(file);
    await writeFile(file, `${bytes.toString()}!`);
    const verify = activities.verifyRelease({ model, version, manifestSha256: signed.manifest.sha256 });
    await expect(verify).rejects.toMatchObject({ code: 'RELEASE_DIGEST_MISMATCH', field: 'model/model.onnx' });
  });
});

describe('evidence', () => {
  it.each<[string, VersionChanges, string]>([
    ['that MLflow contradicts', { tags: { 'saip.data.sha256': 'other' } }, 'deny:evidence-missing'],
    ['of a run that MLflow does not know', { mlflowRunId: 'f'.repeat(32) }, 'deny:evidence-missing'],
    ['of a low accuracy', { accuracy: 0.84 }, 'deny:metric-below-floor'],
    ['signed by a stranger', { signer: transitSigner(new LocalTransit()) }, 'deny:signature-invalid'],
  ])('%s is refused by policy, and the worker signs nothing', async (_what, changes, rule) => {
    const drafted = await draftOf(changes);
    expect(drafted.draft.decision.answer).toMatchObject({ allow: false, rule });
    await expect(sign(await approved(servers, drafted))).rejects.toMatchObject({ code: 'RELEASE_POLICY_DENIED' });
  });

  it('of a withdrawn version is refused by policy', async () => {
    const { model, version } = await registerVersion(servers);
    await new ModelRegistry(servers.database.worker).withdraw({ model, version, reason: 'test' });
    const { draft } = await draftRelease(activities, { model, version });
    expect(draft.decision.answer.rule).toBe('deny:version-withdrawn');
  });

  it('that is missing in the model folder is named', async () => {
    const stored = await registerVersion(servers, { without: ['data-card.json'] });
    await expect(draftRelease(activities, stored)).rejects.toMatchObject({ code: 'RELEASE_EVIDENCE_MISSING' });
  });

  it('of an attack is read through its port', async () => {
    const stored = await registerVersion(servers);
    const { digest } = stored;
    const clean = { value: 0.9, low: 0.89, high: 0.91 };
    const worst = [{ epsilon: 0.2, accuracy: clean }];
    const report = { workflowId: 'attack-1', measuredAt: '2026-01-01T00:00:00Z', samples: 1000, clean, worst };
    const attacked = await releaseActivities(servers, {
      latestAttackReport: async () => ({ ...report, digest, measurement: { attacks: ['pgd'] } }),
    });
    const { draft } = await draftRelease(attacked, stored, { risk: 'high' });
    expect(draft.decision.answer.rule).toBe('approval:high-risk');
    const bom = JSON.parse((await servers.store.read(draft.modelBom.ref)).toString()) as object;
    expect(JSON.stringify(bom)).toContain('"type":"worstCaseAccuracy","value":"0.9"');
    const other = await releaseActivities(servers, {
      latestAttackReport: async () => ({ ...report, digest: 'b'.repeat(64), measurement: {} }),
    });
    expect((await draftRelease(other, stored)).draft.decision.answer.rule).toBe('deny:attack-of-another-model');
  });
});

describe('the worker that holds the key', () => {
  let drafted: Drafted;
  beforeAll(async () => {
    drafted = await draftOf();
  }, 30_000);

  it('does not sign what nobody approved', async () => {
    await expect(sign(drafted)).rejects.toMatchObject({ code: 'RELEASE_POLICY_DENIED' });
  });

  it.each([
    ['by the requester', { sub: 'ann' }, 'APPROVAL_SAME_PERSON'],
    ['of another decision', { subjectDigest: 'b'.repeat(64) }, 'APPROVAL_SUBJECT_MISMATCH'],
    ['of another run', { runId: 'other' }, 'APPROVAL_INVALID'],
  ])('does not take an approval %s', async (_what, changes, code) => {
    await expect(sign(await approved(servers, drafted, changes))).rejects.toMatchObject({ code });
  });

  it('writes nothing outside of the folder, whatever a workflow says', async () => {
    const evidence = drafted.draft.collected.evidence.map((found) => ({ ...found, path: `../../${found.kind}` }));
    const draft = { ...drafted.draft, collected: { ...drafted.draft.collected, evidence } };
    await expect(sign(await approved(servers, { ...drafted, draft }))).rejects.toThrow('inside the release folder');
  });

  it('does not take a decision about another model', async () => {
    const other = await draftOf();
    const draft = { ...other.draft, collected: drafted.draft.collected };
    await expect(sign(await approved(servers, { ...other, draft }))).rejects.toMatchObject({
      code: 'RELEASE_POLICY_DENIED',
    });
  });
});

describe('a publication that fails', () => {
  it('publishes nothing when the folder does not verify', async () => {
    const forger = await releaseActivities(servers, { signer: transitSigner(new LocalTransit()) });
    const drafted = await approved(servers, await draftOf());
    const forged = await sign(drafted, forger);
    await expect(activities.publishRelease({ run: drafted.run, signed: forged })).rejects.toMatchObject({
      code: 'RELEASE_KEY_UNTRUSTED',
    });
    expect(await rowOf(drafted)).toBeUndefined();
    expect(existsSync(folderOf(drafted))).toBe(false);
    expect(readdirSync(join(root, 'releases', '.staging'))).toEqual([]);
  });

  it('leaves a folder that the next one replaces, when it died before the row', async () => {
    const drafted = await approved(servers, await draftOf());
    const dead = await sign(drafted);
    // What kill -9 leaves between the rename and the row: a folder that nobody was told of.
    const away = new Releases(servers.database.worker);
    away.publish = () => Promise.reject(new Error('killed'));
    const dying = await releaseActivities(servers, { releases: away });
    await expect(dying.publishRelease({ run: drafted.run, signed: dead })).rejects.toThrow('killed');
    expect(existsSync(folderOf(drafted))).toBe(true);
    expect(await rowOf(drafted)).toBeUndefined();

    const next = await sign(drafted);
    const { manifestSha256 } = await activities.publishRelease({ run: drafted.run, signed: next });
    expect(manifestSha256).not.toBe(dead.manifest.sha256);
    const manifest = await new ReleaseStore({ root }).manifest({ ...drafted.input, manifestSha256 });
    expect(manifest.model).toBe(drafted.input.model);
  });
});
