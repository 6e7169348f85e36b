import type { Lineage, ReleaseManifest } from '../../contracts/release.ts';
import { RELEASE_FILES } from '../../contracts/release.ts';
import type { Provenance, ResourceDescriptor } from '../supplychain/index.ts';

/** What the verifier expects to read; docs/releases.md describes the parameters of this type of build. */
export const BUILD_TYPE = 'urn:saip:build:model-release:v1';

/** The release worker, under whatever address. Its key says which platform it belongs to. */
export const BUILDER_ID = 'urn:saip:builder:release-worker';

export interface ProvenanceSources {
  readonly manifest: ReleaseManifest;
  readonly lineage: Lineage | undefined;
  /** Commit of the code that releases. */
  readonly gitCommit: string;
  readonly platformVersion: string;
  /** Lock file, relative to the checkout → its digest. */
  readonly locks: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly startedOn: string;
  readonly finishedOn: string;
}

/** How a release came about, as SLSA Provenance v1: what was asked for, what went in, and who made it. */
export function releaseProvenance(sources: ProvenanceSources): Provenance {
  const { manifest, lineage, platformVersion } = sources;
  const { workflowId, runId } = manifest.workflow;
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        model: manifest.model,
        version: manifest.version,
        digest: manifest.digest,
        risk: manifest.risk,
        requestedBy: manifest.requestedBy,
      },
      internalParameters: {
        policy: manifest.policy.rule,
        ...(manifest.approval && { approvedBy: manifest.approval.by }),
        ...(lineage && { training: { workflowId: lineage.registered.workflowId, ...lineage.training } }),
      },
      resolvedDependencies: dependencies(sources),
    },
    runDetails: {
      builder: { id: BUILDER_ID, version: { saip: platformVersion } },
      metadata: {
        invocationId: `${workflowId}/${runId}`,
        startedOn: sources.startedOn,
        finishedOn: sources.finishedOn,
      },
      byproducts: [byproduct(manifest, RELEASE_FILES.decision)],
    },
  };
}

function dependencies({ lineage, gitCommit, locks }: ProvenanceSources): ResourceDescriptor[] {
  const data = lineage?.data;
  return [
    ...source('source of the release', gitCommit),
    ...(lineage === undefined ? [] : source('source of the training', lineage.training.gitCommit)),
    ...Object.entries(locks).map(([name, sha256]) => ({ name, digest: { sha256 } })),
    ...(data?.files ?? []).map(({ name, sha256, bytes }) => ({
      name: `${data?.dataset}/${name}`,
      digest: { sha256 },
      annotations: { bytes },
    })),
  ];
}

/** A tree without a commit, or with local changes on top of one, cannot be named by a digest alone. */
function source(name: string, commit: string): ResourceDescriptor[] {
  const found = /^([0-9a-f]{40,64})(-dirty)?$/.exec(commit);
  if (found?.[1] === undefined) return [];
  const descriptor = { name, digest: { gitCommit: found[1] } };
  return [found[2] === undefined ? descriptor : { ...descriptor, annotations: { localChanges: true } }];
}

function byproduct(manifest: ReleaseManifest, path: string): ResourceDescriptor {
  return { name: path, digest: { sha256: manifest.files[path]?.sha256 ?? '' } };
}
