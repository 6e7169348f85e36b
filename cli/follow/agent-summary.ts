import type { AgentTaskResult } from '../../contracts/agent-task.ts';
import type { Io } from '../io.ts';
import { renderPairs, renderTable } from '../render/table.ts';

/** What a task of an agent came to: its answer, what it called, and what it proposed. */
export function renderAgentResult(result: AgentTaskResult, io: Io): string {
  const { answer, calls, usage, chatModel, proposal, approvedBy, rollback } = result;
  const rows = calls.map(({ step, tool, decision, rule }) => [String(step), tool, decision, rule]);
  const back = proposal && `${proposal.model} from version ${proposal.fromVersion} to ${proposal.toVersion}`;
  return [
    answer ?? '',
    rows.length === 0 ? '' : renderTable(['step', 'tool', 'decision', 'rule'], rows, io),
    renderPairs([
      ['chat model', chatModel],
      ['used', `${usage.steps} model calls, ${usage.tokens} tokens`],
      ['proposed', back && `${back}: ${proposal.reason}`],
      ['approved by', approvedBy],
      ['rollback', rollback?.outcome],
    ]),
  ]
    .filter((section) => section !== '')
    .join('\n\n');
}
