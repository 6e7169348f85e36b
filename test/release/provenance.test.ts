import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { decodeProvenance, encodeProvenance, openStatement } from '../../lib/supplychain/index.ts';
import { releaseProvenance, type ProvenanceSources } from '../../lib/release/index.ts';
import { ReleaseManifest } from '../../contracts/release.ts';
import { sha256 } from '../support/local-transit.ts';
import { MadeRelease } from './support/made-release.ts';

let made: MadeRelease;
let bundle: string;

beforeAll(async () => {
  made = await (await MadeRelease.begin()).write();
  bundle = await readFile(join(made.folder, 'signatures/provenance.sigstore.json'), 'utf8');
});

afterAll(() => made.remove());

const statement = async () =>
  JSON.parse(Buffer.from(openStatement(bundle, await made.publicKeys()).payload).toString()) as {
    subject: { name: string; digest: { sha256: string } }[];
    predicate: Record<string, unknown>;
  };

describe('the provenance of a release', () => {
  it('is an in-toto statement of SLSA provenance over every file', async () => {
    const { subject, ...rest } = await statement();
    expect(rest).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'urn:saip:build:model-release:v1',
          externalParameters: { model: 'mnist-softmax', version: '3', requestedBy: 'ann' },
        },
        runDetails: {
          builder: { id: 'urn:saip:builder:release-worker' },
          metadata: { invocationId: 'release-1/run-1' },
        },
      },
    });
    expect(subject.map(({ name }) => name)).toEqual([
      'bom/model.cdx.json',
      'bom/platform.cdx.json',
      'evidence/lineage.json',
      'evidence/registration.sigstore.json',
      'keys/release.pem',
      'model/data-card.json',
      'model/model-config.json',
      'model/model-facts.json',
      'model/model.onnx',
      'policy/decision.json',
      'release.json',
      'signatures/model.sigstore.json',
    ]);
  });

  it('verifies with the library of the Sigstore project alone', async () => {
    const [pem = ''] = await made.publicKeys();
    const verifier = new Verifier(
      {
        certificateAuthorities: [],
        timestampAuthorities: [],
        tlogs: [],
        ctlogs: [],
        publicKey: () => ({ publicKey: createPublicKey(pem), validFor: () => true }),
      },
      { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 },
    );
    const parsed = bundleFromJSON(JSON.parse(bundle));
    expect(() => verifier.verify(toSignedEntity(parsed))).not.toThrow();
    if (parsed.content.$case !== 'dsseEnvelope') throw new Error('no envelope');
    parsed.content.dsseEnvelope.payload = Buffer.from('{}');
    expect(() => verifier.verify(toSignedEntity(parsed))).toThrow();
  });

  it('is the same for the same release', async () => {
    const payload = openStatement(bundle, await made.publicKeys()).payload;
    expect(encodeProvenance(decodeProvenance(payload))).toEqual(Buffer.from(payload));
  });

  it('names a file once', async () => {
    const { subject, ...rest } = await statement();
    const twice = Buffer.from(JSON.stringify({ ...rest, subject: [...subject, subject[0]] }));
    expect(() => decodeProvenance(twice)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
    expect(() => decodeProvenance(Buffer.from('no'))).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
  });
});

describe('what went in', () => {
  const dependencies = async (changes: Partial<ProvenanceSources>) => {
    const manifest = ReleaseManifest.parse(JSON.parse(await readFile(join(made.folder, 'release.json'), 'utf8')));
    const { buildDefinition } = releaseProvenance({
      manifest,
      lineage: undefined,
      gitCommit: 'unknown',
      platformVersion: '0.1.0',
      locks: {},
      startedOn: '2026-01-01T00:00:00Z',
      finishedOn: '2026-01-01T00:00:10Z',
      ...changes,
    });
    return buildDefinition.resolvedDependencies;
  };

  it('is named by digests', async () => {
    const lineage = JSON.parse(await readFile(join(made.folder, 'evidence/lineage.json'), 'utf8')) as never;
    const found = await dependencies({
      lineage,
      gitCommit: 'c'.repeat(40),
      locks: { 'package-lock.json': sha256('l') },
    });
    expect(found).toEqual([
      { name: 'source of the release', digest: { gitCommit: 'c'.repeat(40) } },
      { name: 'source of the training', digest: { gitCommit: 'b'.repeat(40) } },
      { name: 'package-lock.json', digest: { sha256: sha256('l') } },
      ...['train-images', 'train-labels', 't10k-images', 't10k-labels'].map((name) => ({
        name: expect.stringMatching(`^mnist/${name}`),
        digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        annotations: { bytes: expect.any(Number) },
      })),
    ]);
  });

  it('says where a commit is not the whole truth, and names none where there is none', async () => {
    expect(await dependencies({ gitCommit: `${'c'.repeat(40)}-dirty` })).toEqual([
      { name: 'source of the release', digest: { gitCommit: 'c'.repeat(40) }, annotations: { localChanges: true } },
    ]);
    expect(await dependencies({})).toEqual([]);
  });
});
