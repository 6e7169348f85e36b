import { workflowInfo } from '@temporalio/workflow';
import { ReleaseInput } from '../contracts/sign-and-release.ts';
import type { ReleaseResult, ReleaseStage } from '../contracts/sign-and-release.ts';
import { releaseStart } from '../contracts/workflows.ts';
import { decide } from './release/decide.ts';
import { publish } from './release/publish.ts';
import type { Release } from './release/release.ts';
import { activitiesFor } from './shared/activities.ts';
import { ApprovalDesk } from './shared/approval.ts';
import { parseInput } from './shared/failures.ts';
import { auditOutcome, bestEffort } from './shared/outcome.ts';
import { Run } from './shared/run.ts';

/** Usual share of the duration, in seconds. */
const STAGES: Readonly<Record<ReleaseStage, number>> = {
  collectEvidence: 1,
  sbom: 4,
  mlBom: 1,
  policy: 1,
  approval: 1,
  sign: 1,
  provenance: 1,
  publish: 2,
  verify: 1,
};

/**
 * Releases a registered version: evidence, bills of materials, a policy's answer, another person where it asks for one,
 * signatures, and one atomic publication that a fresh process verifies.
 *
 * Query `progress`; updates `approve`, `cancel` (contracts/approval.ts). A refusal by policy, a person or time ends
 * `rejected`, with its code, and publishes nothing. A failure or cancellation after publication takes it back. The
 * workflow id is the lock: one release of a version at a time (`releaseWorkflowId`).
 * @throws ApplicationFailure whose type is a code of contracts/errors.ts
 */
export async function signAndRelease(value: ReleaseInput): Promise<ReleaseResult> {
  const input = parseInput(ReleaseInput, value);
  const { workflowId, runId, startTime } = workflowInfo();
  const start = releaseStart(input);
  const activities = activitiesFor(start.priority);
  const run = new Run({ title: start.staticSummary, stages: STAGES, onFailure: { action: 'fail', windowSeconds: 1 } });
  const context = { key: workflowId, runId, requestedBy: input.requestedBy };
  const desk = new ApprovalDesk({ run: context, report: run.report, activities });
  const startedAt = startTime.toISOString();
  const release: Release = { input, context, run, activities, desk, startedAt, result: {} };
  const { model, version } = input;

  const { outcome, reasons } = await run.conclude(
    async () => {
      await publish(release, await decide(release));
    },
    async (conclusion) => [
      ...(conclusion.outcome === 'completed' ? await mirror(release) : []),
      ...(await auditOutcome(activities, conclusion, {
        actor: input.requestedBy,
        action: 'workflow:release',
        subject: `${model}@${version}`,
        workflowId,
      })),
    ],
  );
  return { ...release.result, outcome, reasons, model, version };
}

/** MLflow may be away; what is published does not depend on it. */
function mirror({ activities, input: { model, version }, result }: Release): Promise<string[]> {
  const manifestSha256 = result.release?.manifestSha256 ?? '';
  return bestEffort('release in MLflow', () =>
    activities.releaseStep('MLflow shows the release').mirrorRelease({ model, version, manifestSha256 }),
  );
}
