import { activityInfo } from '@temporalio/activity';
import { trace } from '@opentelemetry/api';
import type { CpuActivities } from '../../contracts/activities.ts';
import { SaipError } from '../../contracts/errors.ts';
import { DatabaseError, type AuditLog } from '../../lib/clients/index.ts';

export interface AuditDependencies {
  readonly log: Pick<AuditLog, 'append'>;
}

/** What workflows decide, in the same log as what people ask for. */
export function createAuditActivities({ log }: AuditDependencies): Pick<CpuActivities, 'audit'> {
  return {
    /** @throws SaipError AUDIT_UNAVAILABLE; a retry of the activity writes one entry */
    async audit(entry) {
      const traceId = trace.getActiveSpan()?.spanContext().traceId;
      try {
        await log.append({ ...entry, traceId, operationId: operationId() });
      } catch (cause) {
        if (!(cause instanceof DatabaseError) || !cause.spec.retryable) throw cause;
        throw new SaipError('AUDIT_UNAVAILABLE', 'The audit log cannot be written.', { cause });
      }
    },
  };
}

/** The same for every attempt of one activity, and for no other activity. */
function operationId(): string {
  const { workflowExecution, activityId } = activityInfo();
  return `${workflowExecution?.workflowId}/${workflowExecution?.runId}/${activityId}`;
}
