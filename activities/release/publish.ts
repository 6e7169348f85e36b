import type { RunContext } from '../../contracts/run-context.ts';
import { RELEASE_FILES, ReleaseManifest } from '../../contracts/release.ts';
import type { ReleaseSummary, ReleaseVerification } from '../../contracts/release.ts';
import type { SignedRelease } from '../../contracts/release-activities.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { releaseSummary } from '../../lib/clients/index.ts';
import { ReleaseError, verifyInProcess } from '../../lib/release/index.ts';
import type { ReleaseDependencies } from './dependencies.ts';

type Dependencies = Pick<ReleaseDependencies, 'store' | 'releases' | 'folders' | 'releaseKeys' | 'lock'>;

/** One publisher of a version at a time, whatever workflow or attempt it belongs to. */
const lockName = (model: string, version: string): string => `release:${model}:${version}`;

/**
 * Publishes: the whole folder is written beside its place, verified there by a fresh process, renamed into place, and
 * then the row in PostgreSQL makes it a release. Whatever dies in between leaves a folder that nobody was told of, which
 * the next attempt takes over when it is the same release, and replaces when it is not.
 * @throws DatabaseError RELEASE_EXISTS, MODEL_VERSION_WITHDRAWN; what verification throws, and then nothing is published
 */
export async function publishRelease(
  run: RunContext,
  signed: SignedRelease,
  dependencies: Dependencies & { readonly signal: AbortSignal },
): Promise<ReleaseSummary & { files: number }> {
  const { store, releases, folders, releaseKeys, lock, signal } = dependencies;
  const manifest = await store.readJson(signed.manifest, ReleaseManifest);
  const { model, version, digest } = manifest;
  const files = filesOf(manifest, signed);
  const publicKeys = await releaseKeys();
  return lock(lockName(model, version), async () => {
    const earlier = await releases.find(model, version);
    if (earlier !== undefined && earlier.manifestSha256 !== signed.manifest.sha256) {
      throw new ReleaseError('RELEASE_EXISTS', `Version ${version} of ${model} is released already.`);
    }
    const check = async (folder: string): Promise<void> => void (await verifyInProcess({ folder, publicKeys, signal }));
    await folders.put({ model, version, files, store, check });
    const published = await releases.publish({
      model,
      version,
      digest,
      manifestSha256: signed.manifest.sha256,
      workflowId: run.key,
      runId: run.runId,
      requestedBy: run.requestedBy,
      approvedBy: manifest.approval?.by,
    });
    return { ...releaseSummary(published), files: Object.keys(files).length };
  });
}

function filesOf(manifest: ReleaseManifest, signed: SignedRelease): Record<string, ArtifactRef> {
  const listed = Object.entries(manifest.files).map(
    ([path, file]) => [path, { uri: `cas://sha256/${file.sha256}`, ...file }] as const,
  );
  return {
    ...Object.fromEntries(listed),
    [RELEASE_FILES.manifest]: signed.manifest,
    [RELEASE_FILES.provenance]: signed.provenance,
  };
}

/** What a consumer would find, by a fresh process with public keys alone. @throws RELEASE_DIGEST_MISMATCH and the like */
export async function verifyPublished(
  {
    model,
    version,
    manifestSha256,
  }: { readonly model: string; readonly version: string; readonly manifestSha256: string },
  { releases, folders, releaseKeys, signal }: Dependencies & { readonly signal: AbortSignal },
): Promise<ReleaseVerification> {
  const release = await releases.get(model, version);
  const found = await verifyInProcess({ folder: folders.folder(release), publicKeys: await releaseKeys(), signal });
  if (found.manifestSha256 !== manifestSha256 || release.manifestSha256 !== manifestSha256) {
    throw new ReleaseError('RELEASE_DIGEST_MISMATCH', 'The published folder is that of another release.');
  }
  return found;
}

/** Takes back what the run published, and the folder of a publication that it did not finish. */
export function withdrawRelease(
  a: { readonly run: RunContext; readonly model: string; readonly version: string; readonly reason: string },
  { releases, folders, lock }: Dependencies,
): Promise<void> {
  const { run, model, version, reason } = a;
  return lock(lockName(model, version), async () => {
    await releases.withdraw({ model, version, reason, workflowId: run.key, runId: run.runId });
    if ((await releases.find(model, version)) === undefined) await folders.remove({ model, version });
  });
}
