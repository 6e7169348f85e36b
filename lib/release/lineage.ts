import type { Lineage } from '../../contracts/release.ts';
import type { ModelFacts, ModelVersion } from '../../contracts/registry.ts';
import type { MlflowRun } from '../clients/index.ts';
import type { DatasetCard } from '../datasets/index.ts';

export interface LineageSources {
  readonly version: ModelVersion;
  /** Signed with the model. */
  readonly facts: ModelFacts;
  readonly card: DatasetCard;
  /** The run that the version was registered from. */
  readonly run: MlflowRun;
}

/** Tags of the platform carry this prefix in MLflow. */
const PREFIX = 'saip.';

/** What the tracked run says that the signed facts say too: tag → field of the facts. */
const AGREEMENT = { 'data.sha256': 'dataSha256', 'data.card.sha256': 'cardSha256', dataset: 'dataset' } as const;

/**
 * Where a version comes from. MLflow can be edited by whoever reaches it, so what its run says counts only where it
 * agrees with what was signed.
 * @returns one finding for each contradiction, and no lineage then
 */
export function composeLineage(sources: LineageSources): { lineage?: Lineage; findings: string[] } {
  const { version, facts, card, run } = sources;
  const tags = platformTags(run);
  const findings = contradictions(sources, tags);
  if (findings.length > 0) return { findings };
  return {
    findings,
    lineage: {
      schema: 1,
      model: version.model,
      version: version.version,
      digest: version.digest,
      registered: {
        at: version.createdAt,
        workflowId: version.workflowId,
        signatureSha256: version.signature.sha256,
      },
      training: {
        mlflowRunId: run.runId,
        startedAt: new Date(run.startTime).toISOString(),
        ...(run.endTime !== undefined && { endedAt: new Date(run.endTime).toISOString() }),
        gitCommit: tags['git.commit'] ?? 'unknown',
        tags,
      },
      data: {
        dataset: facts.dataset,
        cardSha256: facts.cardSha256,
        dataSha256: facts.dataSha256,
        files: card.distribution.map(({ contentUrl, sha256, contentSize }) => ({
          name: contentUrl,
          sha256,
          bytes: Number.parseInt(contentSize, 10),
        })),
      },
    },
  };
}

function contradictions({ version, facts, run }: LineageSources, tags: Readonly<Record<string, string>>): string[] {
  const findings: string[] = [];
  if (facts.model !== version.model) findings.push(`the signed facts are about the model ${facts.model}`);
  for (const [tag, field] of Object.entries(AGREEMENT)) {
    const said = tags[tag];
    if (said !== facts[field]) findings.push(`run ${run.runId} says ${tag} ${said ?? 'nothing'}, not ${facts[field]}`);
  }
  return findings;
}

function platformTags({ tags }: MlflowRun): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags)
      .filter(([name]) => name.startsWith(PREFIX))
      .map(([name, value]) => [name.slice(PREFIX.length), value]),
  );
}
