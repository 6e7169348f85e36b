import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { Lineage, RELEASE_FILES, type ReleaseManifest } from '../../contracts/release.ts';
import type { SignAndReleaseActivities, SignedRelease } from '../../contracts/release-activities.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { lockFiles, platformName, releaseManifest, releaseProvenance } from '../../lib/release/index.ts';
import { BUNDLE_MEDIA_TYPE, encodeProvenance, signModel, signStatement } from '../../lib/supplychain/index.ts';
import { gitCommit } from '../training/git-commit.ts';
import { assertMayBeSigned } from './decide.ts';
import type { ReleaseDependencies } from './dependencies.ts';

type Dependencies = Pick<ReleaseDependencies, 'store' | 'policy' | 'approvals' | 'signer' | 'releaseKeys' | 'platform'>;

/** Signs the model folder as released. A repetition gives another signature of the same digest. */
export async function signRelease(
  { run, draft }: Parameters<SignAndReleaseActivities['signRelease']>[0],
  dependencies: Dependencies,
): Promise<{ digest: string; signature: ArtifactRef }> {
  await assertMayBeSigned(draft, run, dependencies);
  const { model, files } = draft.collected;
  const digests = Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256]));
  const { digest, bundle } = await signModel({ name: model, files: digests, signer: dependencies.signer });
  return { digest, signature: await putBundle(bundle, dependencies) };
}

/** Writes the manifest, and signs where everything that it lists comes from. */
export async function writeProvenance(
  {
    run,
    input,
    draft,
    modelSignature,
    startedAt,
    finishedAt,
  }: Parameters<SignAndReleaseActivities['writeProvenance']>[0],
  dependencies: Dependencies,
): Promise<SignedRelease> {
  await assertMayBeSigned(draft, run, dependencies);
  const { store, signer, releaseKeys, platform } = dependencies;
  const keys = await store.put(Buffer.from((await releaseKeys()).join('')), { mediaType: 'application/x-pem-file' });
  const manifest = releaseManifest({ run, input, draft, modelSignature, keys });
  const ref = await store.putJson(manifest);
  const lineage = draft.collected.evidence.find(({ kind }) => kind === 'lineage')?.ref;
  const statement = encodeProvenance({
    subjects: { ...digestsOf(manifest), [RELEASE_FILES.manifest]: ref.sha256 },
    provenance: releaseProvenance({
      manifest,
      lineage: lineage && (await store.readJson(lineage, Lineage)),
      gitCommit: gitCommit(),
      platformVersion: (await platformName(platform.checkout)).version,
      locks: await lockDigests(platform.checkout),
      startedOn: startedAt,
      finishedOn: finishedAt,
    }),
  });
  return { manifest: ref, provenance: await putBundle(await signStatement(statement, signer), dependencies) };
}

function digestsOf({ files }: ReleaseManifest): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256]));
}

async function lockDigests(checkout: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const file of await lockFiles(checkout)) {
    digests[relative(checkout, file)] = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  }
  return digests;
}

function putBundle(bundle: string, { store }: Pick<Dependencies, 'store'>): Promise<ArtifactRef> {
  return store.put(Buffer.from(bundle), { mediaType: BUNDLE_MEDIA_TYPE });
}
