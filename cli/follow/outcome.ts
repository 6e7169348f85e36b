import type { WorkflowDetail } from '../../contracts/api.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';

/** How a closed execution ended for its user: the business result where there is one, else the execution's status. */
export function outcomeOf(detail: WorkflowDetail): string {
  return detail.result?.outcome ?? detail.status;
}

export function exitCodeOfOutcome(detail: WorkflowDetail): ExitCode {
  const outcome = outcomeOf(detail);
  if (outcome === 'completed') return EXIT.ok;
  return outcome === 'rejected' ? EXIT.rejected : EXIT.failure;
}
