import { log } from '@temporalio/workflow';
import type { Activities } from './activities.ts';
import { describeFailure } from './failures.ts';
import type { Conclusion } from './run.ts';

export interface AuditSubject {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly workflowId: string;
}

/**
 * Does something that must not change how a run ended.
 * @returns one sentence when it failed, for the reasons of the run
 */
export async function bestEffort(what: string, work: () => Promise<void>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    log.error('the end of the run could not be recorded', { what, error });
    return [`Not recorded: ${what} (${describeFailure(error)})`];
  }
}

/** Writes the outcome of a run to the audit log. */
export function auditOutcome(activities: Activities, conclusion: Conclusion, audit: AuditSubject): Promise<string[]> {
  const { actor, action, subject, workflowId } = audit;
  return bestEffort('outcome in the audit log', () =>
    activities.records(`Audit: ${conclusion.outcome}`).audit({
      actor,
      action,
      subject,
      decision: conclusion.outcome,
      detail: { workflowId, reasons: conclusion.reasons.join('; ') },
    }),
  );
}
