import type { PolicyInput } from '../../contracts/release.ts';
import type { AttackEvidence, EvidenceKind, Lineage } from '../../contracts/release.ts';
import type { BillOfMaterials, CollectedEvidence } from '../../contracts/release-activities.ts';
import type { ModelFacts } from '../../contracts/registry.ts';
import type { ReleaseInput } from '../../contracts/sign-and-release.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { MetricInterval } from '../../contracts/train-register-deploy.ts';
import type { DatasetCard } from '../datasets/index.ts';

export interface DecisionSources {
  readonly input: ReleaseInput;
  readonly collected: CollectedEvidence;
  readonly platformBom: BillOfMaterials;
  readonly modelBom: BillOfMaterials;
  /** What the collected evidence says; a kind that was not collected is absent. */
  readonly contents: EvidenceContents;
}

export interface EvidenceContents {
  readonly dataCard?: DatasetCard;
  readonly metrics?: ModelFacts;
  readonly lineage?: Lineage;
  readonly attackReport?: AttackEvidence;
}

/** What the policy is told: facts and digests, so that its answer is about exactly these bytes. */
export function policyInput({ input, collected, platformBom, modelBom, contents }: DecisionSources): PolicyInput {
  return {
    request: {
      requestedBy: input.requestedBy,
      risk: input.risk,
      requireAttackReport: input.requireAttackReport,
      requireApproval: input.approval.required,
      ...(input.notes !== undefined && { notes: input.notes }),
    },
    version: {
      model: collected.model,
      version: collected.version,
      digest: collected.digest,
      withdrawn: collected.withdrawn,
      signatureValid: collected.signatureValid,
    },
    findings: [...collected.findings],
    evidence: evidenceFacts(collected, contents),
    boms: {
      platform: { sha256: platformBom.ref.sha256, components: platformBom.components },
      model: { sha256: modelBom.ref.sha256, components: modelBom.components },
    },
  };
}

function evidenceFacts(collected: CollectedEvidence, contents: EvidenceContents): PolicyInput['evidence'] {
  const sha256 = (kind: EvidenceKind): string =>
    collected.evidence.find((candidate) => candidate.kind === kind)?.ref.sha256 ?? '';
  const { dataCard, metrics, lineage, attackReport } = contents;
  return {
    ...(dataCard && { dataCard: { sha256: sha256('dataCard'), licenses: [dataCard.license].flat() } }),
    ...(metrics && { metrics: { sha256: sha256('metrics'), ...measured(metrics) } }),
    ...(lineage && { lineage: { sha256: sha256('lineage'), gitCommit: lineage.training.gitCommit } }),
    ...(attackReport && {
      attackReport: { sha256: sha256('attackReport'), digest: attackReport.digest, worst: attackReport.worst },
    }),
  };
}

function measured({
  evaluation,
}: ModelFacts): Pick<NonNullable<PolicyInput['evidence']['metrics']>, 'samples' | 'values'> {
  const values = metricsOf(evaluation).map(({ name, interval }) => [name, interval]);
  return { samples: evaluation.samples, values: Object.fromEntries(values) as Record<string, MetricInterval> };
}
