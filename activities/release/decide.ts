import { AttackEvidence, DecisionDocument, Lineage, type EvidenceKind } from '../../contracts/release.ts';
import type {
  BillOfMaterials,
  CollectedEvidence,
  ReleaseDecision,
  ReleaseDraft,
} from '../../contracts/release-activities.ts';
import { ModelFacts } from '../../contracts/registry.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { RunContext } from '../../contracts/run-context.ts';
import type { ReleaseInput } from '../../contracts/sign-and-release.ts';
import { DatasetCard } from '../../lib/datasets/index.ts';
import { verifyApproval } from '../../lib/identity/index.ts';
import { policyInput, ReleaseError, type EvidenceContents } from '../../lib/release/index.ts';
import type { ReleaseDependencies } from './dependencies.ts';

const ENTRYPOINT = 'saip/release/decision';

/** Asks the policy, and keeps question and answer: their digest is what a person approves. */
export async function decideRelease(
  a: {
    readonly input: ReleaseInput;
    readonly collected: CollectedEvidence;
    readonly platformBom: BillOfMaterials;
    readonly modelBom: BillOfMaterials;
  },
  { store, policy }: Pick<ReleaseDependencies, 'store' | 'policy'>,
): Promise<ReleaseDecision> {
  const input = policyInput({ ...a, contents: await contentsOf(a.collected, store) });
  const answer = policy.evaluate(input);
  const document: DecisionDocument = {
    schema: 1,
    policy: { entrypoint: ENTRYPOINT, sha256: policy.sha256 },
    input,
    answer,
  };
  return { answer, document: await store.putJson(DecisionDocument.parse(document)) };
}

async function contentsOf(
  { evidence }: CollectedEvidence,
  store: ReleaseDependencies['store'],
): Promise<EvidenceContents> {
  const ref = (kind: EvidenceKind): ArtifactRef | undefined => evidence.find((found) => found.kind === kind)?.ref;
  const { dataCard, metrics, lineage, attackReport } = {
    dataCard: ref('dataCard'),
    metrics: ref('metrics'),
    lineage: ref('lineage'),
    attackReport: ref('attackReport'),
  };
  return {
    dataCard: dataCard && (await store.readJson(dataCard, DatasetCard)),
    metrics: metrics && (await store.readJson(metrics, ModelFacts)),
    lineage: lineage && (await store.readJson(lineage, Lineage)),
    attackReport: attackReport && (await store.readJson(attackReport, AttackEvidence)),
  };
}

/**
 * Whether this draft may be signed. The worker that holds the key does not take a workflow's word for it: it asks the
 * policy again about the same question, and verifies the approval itself.
 * @throws ReleaseError RELEASE_POLICY_DENIED; IdentityError APPROVAL_INVALID, APPROVAL_SAME_PERSON, APPROVAL_SUBJECT_MISMATCH
 */
export async function assertMayBeSigned(
  { collected, decision, approval }: ReleaseDraft,
  run: RunContext,
  { store, policy, approvals }: Pick<ReleaseDependencies, 'store' | 'policy' | 'approvals'>,
): Promise<void> {
  const { input } = await store.readJson(decision.document, DecisionDocument);
  const { allow, requireApproval, reasons } = policy.evaluate(input);
  if (!allow) throw denied(`Policy refuses this release: ${reasons.join('; ')}.`);
  const { model, version, digest } = input.version;
  if (model !== collected.model || version !== collected.version || digest !== collected.digest) {
    throw denied('The decision is about another model.');
  }
  if (input.request.requestedBy !== run.requestedBy) throw denied('The decision is about another request.');
  if (approval === undefined) {
    if (requireApproval) throw denied('Policy asks for another person, and none agreed.');
    return;
  }
  const claims = await verifyApproval(approval.jws, {
    ...approvals,
    expected: {
      workflowId: run.key,
      runId: run.runId,
      stage: 'approval',
      subjectDigest: decision.document.sha256,
      requestedBy: run.requestedBy,
    },
    // It was in time when it reached the workflow; how long signing is waited for says nothing about it.
    now: () => approval.claims.iat * 1000,
  });
  if (claims.decision !== 'approve') throw denied(`${claims.sub} refused this release.`);
}

function denied(message: string): ReleaseError {
  return new ReleaseError('RELEASE_POLICY_DENIED', message);
}
