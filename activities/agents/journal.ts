import { trace } from '@opentelemetry/api';
import { SaipError } from '../../contracts/errors.ts';
import { DatabaseError } from '../../lib/clients/index.ts';
import type { AuditLog } from '../../lib/clients/index.ts';

/** Longest text of an entry; the digest beside it is of the whole. */
const LONGEST = 2000;

export interface JournalEntry {
  /** Workflow id of the task. */
  readonly task: string;
  /** Names the entry inside the task, so that a repetition writes nothing new. */
  readonly id: string;
  /** `agent:<name>`, or the subject of a person. */
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly decision: string;
  readonly detail: Readonly<Record<string, string>>;
}

export type Journal = (entry: JournalEntry) => Promise<void>;

/**
 * What agents do, in the platform's audit log. An entry is written before what it announces, so that nothing is done
 * that nobody could find out about.
 * @throws SaipError AUDIT_UNAVAILABLE
 */
export function journal(log: Pick<AuditLog, 'append'>): Journal {
  return async ({ task, id, actor, action, subject, decision, detail }) => {
    const bounded = Object.entries(detail).map(([name, text]) => [name, text.slice(0, LONGEST)]);
    try {
      await log.append({
        actor,
        action,
        subject,
        decision,
        traceId: trace.getActiveSpan()?.spanContext().traceId,
        detail: { workflowId: task, ...(Object.fromEntries(bounded) as Record<string, string>) },
        operationId: `agent/${task}/${id}`,
      });
    } catch (cause) {
      if (!(cause instanceof DatabaseError) || !cause.spec.retryable) throw cause;
      throw new SaipError('AUDIT_UNAVAILABLE', 'The audit log cannot be written.', { cause });
    }
  };
}
