import { BudgetSuggestion } from '../../contracts/extraction.ts';
import { LimitView } from '../../contracts/limits.ts';
import { ApiClient, path } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { present } from '../render/output.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { callerOf, type CallerOptions } from './limits.ts';

export interface SuggestOptions extends Omit<CallerOptions, 'model'> {
  readonly threshold?: number;
  readonly answers?: string;
  readonly apply?: boolean;
}

/** `saip limits suggest`: shows the budget that the newest curve suggests and, with `--apply`, sets it. */
export async function suggestBudget(io: Io, model: string, options: SuggestOptions): Promise<ExitCode> {
  const caller = callerOf(options);
  const api = await ApiClient.open(io.env);
  const { threshold, answers, apply = false } = options;
  const where = path`/v1/models/${model}/budget`;
  if (apply) {
    const body = { ...caller, threshold, answers };
    const limit = await api.post(where, body, LimitView, { role: 'admin' });
    present(io, options, limit, ({ kind, name, budgetRows, budgetSource }) => {
      const whom = kind === 'everybody' ? 'everybody' : `${kind} ${name}`;
      return `set ${String(budgetRows)} rows in 30 days for ${whom}, ${model} (curve ${String(budgetSource?.curve)}, threshold ${String(budgetSource?.threshold)})`;
    });
    return EXIT.ok;
  }
  const suggestion = await api.get(where, BudgetSuggestion, { role: 'auditor', query: { threshold, answers } });
  present(io, options, suggestion, ({ budgetRows, reached, source, measuredAt, points }) => {
    const rows = points.map(({ queries, made, fidelity: { value, low, high } }) => [
      String(queries),
      String(made),
      `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`,
    ]);
    const none = 'none: the smallest measured number of queries already gives a copy';
    const beyond = reached ? '' : ' (the most that were measured; no copy came of it)';
    const pairs = renderPairs([
      ['model', `${model}, version ${source.version}`],
      ['budget', budgetRows === undefined ? none : `${String(budgetRows)} rows in 30 days${beyond}`],
      ['a copy', `fidelity of ${String(source.threshold)} or more, from ${source.answers}`],
      ['curve', `${String(source.curve)} of ${measuredAt}`],
      ['workflow', `${source.workflowId} (run ${source.runId})`],
    ]);
    return `${renderTable(['queries', 'of these made', 'fidelity'], rows, io)}\n\n${pairs}`;
  });
  return EXIT.ok;
}
