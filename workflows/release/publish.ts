import type { ReleaseDraft } from '../../contracts/release-activities.ts';
import type { Release } from './release.ts';

/** Signatures, publication, verification. From `publish` on a failure is compensated. */
export async function publish(release: Release, draft: ReleaseDraft): Promise<void> {
  const { input, context, run, activities, result } = release;
  const { model, version } = input;
  const { signature: modelSignature } = await run.stage(
    'sign',
    () => activities.releaseStep('OpenSSF Model Signing, key in OpenBao').signRelease({ run: context, draft }),
    ({ digest }) => `digest ${digest.slice(0, 12)}`,
  );
  const signed = await run.stage(
    'provenance',
    () =>
      activities.releaseStep('SLSA provenance, key in OpenBao').writeProvenance({
        run: context,
        input,
        draft,
        modelSignature,
        startedAt: release.startedAt,
        finishedAt: new Date().toISOString(),
      }),
    ({ manifest }) => `manifest ${manifest.sha256.slice(0, 12)}`,
  );
  const published = await run.stage(
    'publish',
    () => {
      run.compensations.add(`release of ${model} version ${version}`, (reason) =>
        activities.releaseStep('Take the release back').withdrawRelease({ run: context, model, version, reason }),
      );
      return activities.release('Folder and row, or neither').publishRelease({ run: context, signed });
    },
    ({ files }) => `${files} files`,
  );
  const { digest, manifestSha256, publishedAt, files } = published;
  const verified = await run.stage(
    'verify',
    () => activities.releaseStep('In a fresh process').verifyRelease({ model, version, manifestSha256 }),
    ({ key, checks }) => `${checks.length} checks, key ${key.slice(0, 12)}`,
  );
  result.release = { digest, manifestSha256, publishedAt, files, key: verified.key };
}
