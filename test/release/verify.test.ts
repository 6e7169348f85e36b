import { chmod, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PolicyAnswer, ReleaseManifest } from '../../contracts/release.ts';
import { BUILDER_ID, fingerprint, verifyInProcess, verifyRelease } from '../../lib/release/index.ts';
import { hashModelFolder } from '../../lib/supplychain/index.ts';
import { MadeRelease, MODEL, VERSION, type Changes } from './support/made-release.ts';

let made: MadeRelease;

beforeEach(async () => {
  made = await MadeRelease.begin();
});

afterEach(() => made.remove());

const verify = async (keys?: readonly string[]) =>
  verifyRelease({ folder: made.folder, publicKeys: keys ?? (await made.publicKeys()) });

async function overwrite(path: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const file = join(made.folder, path);
  await chmod(file, 0o600);
  await writeFile(file, change(await readFile(file)));
}

function flipMiddle(bytes: Buffer): Buffer {
  const at = Math.floor(bytes.length / 2);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from([(bytes[at] ?? 0) ^ 1]), bytes.subarray(at + 1)]);
}

describe('a release', () => {
  it('verifies with the key that signed it, and says what was found', async () => {
    await made.write();
    const [key = ''] = await made.publicKeys();
    expect(await verify()).toEqual({
      model: MODEL,
      version: VERSION,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      manifestSha256: (await hashModelFolder(made.folder))['release.json'],
      key: fingerprint(key),
      builder: BUILDER_ID,
      workflowId: 'release-1',
      approvedBy: 'bob',
      files: 13,
      checks: ['provenance', 'files', 'model', 'evidence', 'policy', 'bills of materials'].map((name) =>
        expect.objectContaining({ name }),
      ),
    });
  });

  it('verifies after a rotation of the key, until the old version is retired', async () => {
    await made.write();
    made.transit.rotate();
    await expect(verify()).resolves.toMatchObject({ model: MODEL });
    made.transit.retireOld();
    await expect(verify()).rejects.toMatchObject({ code: 'RELEASE_KEY_UNTRUSTED' });
  });

  it('verifies in a fresh process, and is refused there with the same code', async () => {
    await made.write();
    const options = { folder: made.folder, publicKeys: await made.publicKeys() };
    expect(await verifyInProcess(options)).toEqual(await verify());
    await overwrite('model/model.onnx', flipMiddle);
    await expect(verifyInProcess(options)).rejects.toMatchObject({
      code: 'RELEASE_DIGEST_MISMATCH',
      field: 'model/model.onnx',
    });
  });

  it('that is not there is unknown', async () => {
    await expect(verify()).rejects.toMatchObject({ code: 'RELEASE_UNKNOWN' });
  });
});

describe('a folder that was changed', () => {
  it('is refused for one byte of any file', async () => {
    await made.write();
    const paths = Object.keys(await hashModelFolder(made.folder));
    expect(paths).toHaveLength(13);
    for (const path of paths) {
      await overwrite(path, flipMiddle);
      const refused = await verify().then(
        () => 'accepted',
        (error: { code: string; field?: string }) => `${error.code} ${error.field ?? ''}`.trim(),
      );
      const expected =
        path === 'signatures/provenance.sigstore.json' ? 'SIGNATURE_INVALID' : `RELEASE_DIGEST_MISMATCH ${path}`;
      expect(refused).toBe(expected);
      await overwrite(path, flipMiddle);
    }
    await expect(verify()).resolves.toMatchObject({ model: MODEL });
  });

  it.each([
    ['a lost file', 'model/model.onnx', 'RELEASE_DIGEST_MISMATCH'],
    ['lost evidence', 'evidence/lineage.json', 'RELEASE_EVIDENCE_MISSING'],
    ['a lost manifest', 'release.json', 'RELEASE_DIGEST_MISMATCH'],
    ['a lost provenance', 'signatures/provenance.sigstore.json', 'SIGNATURE_MISSING'],
  ])('is refused for %s', async (_what, path, code) => {
    await made.write();
    await rm(join(made.folder, path));
    await expect(verify()).rejects.toMatchObject({ code });
  });

  it.each([
    ['a file too many', () => writeFile(join(made.folder, 'model', 'extra'), '')],
    ['a link', () => symlink(join(made.folder, 'release.json'), join(made.folder, 'link'))],
  ])('is refused for %s', async (_what, change) => {
    await made.write();
    await change();
    await expect(verify()).rejects.toMatchObject({ code: 'RELEASE_DIGEST_MISMATCH' });
  });
});

describe('a foreign key', () => {
  it('is not trusted, though the folder brings it along', async () => {
    await made.write();
    const stranger = await (await MadeRelease.begin()).write();
    try {
      const own = await stranger.publicKeys();
      await expect(verifyRelease({ folder: stranger.folder, publicKeys: own })).resolves.toMatchObject({
        model: MODEL,
      });
      await expect(
        verifyRelease({ folder: stranger.folder, publicKeys: await made.publicKeys() }),
      ).rejects.toMatchObject({ code: 'RELEASE_KEY_UNTRUSTED' });
      await expect(verify([])).rejects.toMatchObject({ code: 'RELEASE_KEY_UNTRUSTED' });
    } finally {
      await stranger.remove();
    }
  });
});

/** What the right key signed, and what is no release all the same. */
describe('a signed folder', () => {
  const refusal = (answer: PolicyAnswer): PolicyAnswer => ({ ...answer, allow: false, reasons: ['metrics'] });
  const without =
    (kind: string) =>
    (manifest: ReleaseManifest): ReleaseManifest => ({
      ...manifest,
      evidence: manifest.evidence.filter((found) => found.kind !== kind),
    });

  it.each<[string, Changes, string]>([
    ['that policy refused', { answer: refusal }, 'RELEASE_POLICY_DENIED'],
    ['that nobody approved', { approvedBy: null }, 'RELEASE_POLICY_DENIED'],
    ['that its requester approved', { approvedBy: 'ann' }, 'RELEASE_POLICY_DENIED'],
    ['without lineage', { manifest: without('lineage') }, 'RELEASE_EVIDENCE_MISSING'],
    ['without metrics', { manifest: without('metrics') }, 'RELEASE_EVIDENCE_MISSING'],
    ['with a manifest of another model', { manifest: (m) => ({ ...m, version: '4' }) }, 'RELEASE_INVALID'],
    [
      'with a manifest of another decision',
      { manifest: (m) => ({ ...m, policy: { ...m.policy, rule: 'allow' } }) },
      'RELEASE_INVALID',
    ],
    [
      'by another builder',
      { provenance: (p) => ({ ...p, runDetails: { ...p.runDetails, builder: { id: 'urn:other' } } }) },
      'RELEASE_INVALID',
    ],
    [
      'of another type of build',
      { provenance: (p) => ({ ...p, buildDefinition: { ...p.buildDefinition, buildType: 'urn:other' } }) },
      'RELEASE_INVALID',
    ],
    [
      'with a bill of materials of another model',
      { modelBom: (bom) => ({ ...bom, metadata: { component: { name: 'other' } } }) },
      'RELEASE_INVALID',
    ],
    [
      'with a path that leads out of the folder',
      { manifest: (m) => ({ ...m, evidence: [...m.evidence, { kind: 'attackReport', path: '../report.json' }] }) },
      'RELEASE_INVALID',
    ],
    ['with a model that was signed under another name', { signedAs: 'other' }, 'SIGNATURE_INVALID'],
  ])('%s is refused', async (_what, changes, code) => {
    await made.write(changes);
    await expect(verify()).rejects.toMatchObject({ code });
  });

  it('by another builder verifies for whoever expects that one', async () => {
    const id = 'https://ci.example.org/builder';
    await made.write({ provenance: (p) => ({ ...p, runDetails: { ...p.runDetails, builder: { id } } }) });
    const found = await verifyRelease({ folder: made.folder, publicKeys: await made.publicKeys(), builder: id });
    expect(found.builder).toBe(id);
  });
});
