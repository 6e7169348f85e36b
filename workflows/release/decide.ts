import { ApplicationFailure } from '@temporalio/workflow';
import type { ReleaseDecision, ReleaseDraft } from '../../contracts/release-activities.ts';
import type { BillOfMaterials, CollectedEvidence } from '../../contracts/release-activities.ts';
import { Rejection, rootCause } from '../shared/failures.ts';
import type { Release } from './release.ts';

/**
 * From the evidence to the decision: nothing has been signed when this returns.
 * @throws Rejection when evidence, policy or a person says no; `result.code` says which
 */
export async function decide(release: Release): Promise<ReleaseDraft> {
  const { input, context, run, activities } = release;
  const { model, version } = input;
  const collected = await run.stage(
    'collectEvidence',
    () => activities.releaseStep(`What is known about ${model} ${version}`).collectEvidence({ input }),
    ({ evidence, digest }) => `${evidence.map(({ kind }) => kind).join(', ') || 'nothing'}; model ${short(digest)}`,
  );
  const platformBom = await run.stage(
    'sbom',
    () => activities.release('Syft on the lock files').writePlatformBom({ run: context }),
    describeBom,
  );
  const modelBom = await run.stage('mlBom', () => writeModelBom(release, collected), describeBom);
  const decision = await askPolicy(release, { collected, platformBom, modelBom });
  const approval = await askPerson(release, decision);
  return { collected, platformBom, modelBom, decision, ...(approval && { approval }) };
}

/** A version that was registered without facts or card cannot be described, and that is no failure of the platform. */
async function writeModelBom({ activities, result }: Release, collected: CollectedEvidence): Promise<BillOfMaterials> {
  try {
    return await activities.releaseStep('Model, data and measured values').writeModelBom({ collected });
  } catch (error) {
    const cause = rootCause(error);
    if (!(cause instanceof ApplicationFailure) || cause.type !== 'RELEASE_EVIDENCE_MISSING') throw error;
    result.code = 'RELEASE_EVIDENCE_MISSING';
    throw new Rejection([cause.message]);
  }
}

function askPolicy(
  { input, run, activities, result }: Release,
  parts: Pick<ReleaseDraft, 'collected' | 'platformBom' | 'modelBom'>,
): Promise<ReleaseDecision> {
  return run.stage(
    'policy',
    async () => {
      const decision = await activities.releaseStep('May it be released?').decideRelease({ input, ...parts });
      const { allow, reasons, rule } = decision.answer;
      result.decision = decision.answer;
      if (!allow) {
        result.code = rule === 'deny:evidence-missing' ? 'RELEASE_EVIDENCE_MISSING' : 'RELEASE_POLICY_DENIED';
        throw new Rejection(reasons);
      }
      return decision;
    },
    ({ answer }) => [answer.rule, ...answer.reasons].join('; '),
  );
}

async function askPerson(
  { input, run, desk, result }: Release,
  { answer, document }: ReleaseDecision,
): Promise<ReleaseDraft['approval']> {
  if (!answer.requireApproval) {
    run.report.end('approval', 'skipped', 'not asked for');
    return undefined;
  }
  const { timeoutSeconds } = input.approval;
  const { jws, ...claims } = await run.stage(
    'approval',
    async () => {
      try {
        return await desk.decide({ stage: 'approval', subjectDigest: document.sha256, timeoutSeconds });
      } catch (error) {
        if (error instanceof Rejection) result.code = 'RELEASE_NOT_APPROVED';
        throw error;
      }
    },
    ({ sub }) => `by ${sub}`,
  );
  result.approvedBy = claims.sub;
  return { jws, claims };
}

function describeBom({ components, ref }: BillOfMaterials): string {
  return `${components} components, ${short(ref.sha256)}`;
}

function short(sha256: string): string {
  return sha256.slice(0, 12);
}
