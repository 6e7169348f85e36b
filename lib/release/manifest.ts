import type { ArtifactRef } from '../../contracts/reference.ts';
import { RELEASE_FILES, ReleaseManifest } from '../../contracts/release.ts';
import type { ReleaseDraft } from '../../contracts/release-activities.ts';
import type { RunContext } from '../../contracts/run-context.ts';
import type { ReleaseInput } from '../../contracts/sign-and-release.ts';

export interface ManifestSources {
  readonly run: RunContext;
  readonly input: ReleaseInput;
  readonly draft: ReleaseDraft;
  readonly modelSignature: ArtifactRef;
  /** PEM, one or several. */
  readonly keys: ArtifactRef;
}

/** Path in the release folder → bytes: everything but the manifest and the provenance. */
export function releaseFiles({
  draft,
  modelSignature,
  keys,
}: Omit<ManifestSources, 'run' | 'input'>): Record<string, ArtifactRef> {
  const { collected, platformBom, modelBom, decision } = draft;
  const model = Object.entries(collected.files).map(([path, ref]) => [`${RELEASE_FILES.model}${path}`, ref] as const);
  return {
    ...Object.fromEntries(model),
    ...Object.fromEntries(collected.evidence.map(({ path, ref }) => [path, ref])),
    [RELEASE_FILES.registration]: collected.signature,
    [RELEASE_FILES.platformBom]: platformBom.ref,
    [RELEASE_FILES.modelBom]: modelBom.ref,
    [RELEASE_FILES.decision]: decision.document,
    [RELEASE_FILES.keys]: keys,
    [RELEASE_FILES.modelSignature]: modelSignature,
  };
}

/** What the release consists of, and who decided about it. */
export function releaseManifest(sources: ManifestSources): ReleaseManifest {
  const { run, input, draft } = sources;
  const { collected, decision, approval } = draft;
  const files = Object.entries(releaseFiles(sources)).map(
    ([path, { sha256, bytes, mediaType }]) => [path, { sha256, bytes, mediaType }] as const,
  );
  return ReleaseManifest.parse({
    schema: 1,
    model: collected.model,
    version: collected.version,
    digest: collected.digest,
    risk: input.risk,
    ...(input.notes !== undefined && { notes: input.notes }),
    requestedBy: run.requestedBy,
    workflow: { workflowId: run.key, runId: run.runId },
    policy: { rule: decision.answer.rule, reasons: decision.answer.reasons },
    ...(approval && {
      approval: {
        by: approval.claims.sub,
        at: new Date(approval.claims.iat * 1000).toISOString(),
        jti: approval.claims.jti,
        ...(approval.claims.comment !== undefined && { comment: approval.claims.comment }),
      },
    }),
    evidence: collected.evidence.map(({ kind, path }) => ({ kind, path })),
    files: Object.fromEntries(files),
  });
}
