import { auditOutcome, bestEffort } from '../shared/outcome.ts';
import type { Conclusion } from '../shared/run.ts';
import type { Task } from './task.ts';

/**
 * However the task ended: its logins end, its transcript is kept, and the audit log knows.
 * @returns what could not be done
 */
export async function closeTask(task: Task, conclusion: Conclusion): Promise<string[]> {
  const { input, context, activities, result } = task;
  const revoking = task.borrowed
    ? await bestEffort('end of the database login', () => revokeLogins(task).then(() => undefined))
    : [];
  const keeping = await bestEffort('transcript', async () => {
    result.transcript = await activities.agent('Write the transcript').writeTranscript({ run: context });
  });
  const audit = {
    actor: input.requestedBy,
    action: 'workflow:agent-task',
    subject: `agent:${input.agent}`,
    workflowId: context.key,
  };
  return [...revoking, ...keeping, ...(await auditOutcome(activities, conclusion, audit))];
}

export async function revokeLogins(task: Task): Promise<number> {
  const { revoked } = await task.activities.agent('Revoke the database login').revokeLogins({ run: task.context });
  task.borrowed = false;
  return revoked;
}
