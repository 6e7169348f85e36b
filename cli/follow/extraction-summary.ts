import type { ExtractionResult } from '../../contracts/extraction.ts';
import type { MetricInterval } from '../../contracts/train-register-deploy.ts';
import type { Io } from '../io.ts';
import { renderPairs, renderTable } from '../render/table.ts';

/** How good the copies were, and which budgets follow. */
export function renderExtractionResult(
  { model, version, threshold, curve, budgets }: ExtractionResult,
  io: Io,
): string {
  const pairs = renderPairs([
    ['model', version === undefined ? model : `${model}, version ${version}`],
    ['substitute', curve?.substitute],
    ['a copy', `fidelity of ${String(threshold)} or more`],
    ...(budgets ?? []).map(({ answers, budgetRows, reached }): [string, string] => [
      `budget, ${answers}`,
      budgetRows === undefined
        ? 'none'
        : `${String(budgetRows)} queries${reached ? '' : ', the most that were measured'}`,
    ]),
  ]);
  if (curve === undefined) return pairs;
  const rows = curve.points.map(({ answers, queries, made, fidelity, accuracy }) => [
    answers,
    String(queries),
    String(made),
    interval(fidelity),
    interval(accuracy),
  ]);
  const head = [
    'answers',
    'queries',
    'of these made',
    `fidelity (${String(curve.evaluated)} samples)`,
    'accuracy of the copy',
  ];
  return `${renderTable(head, rows, io)}\n\n${pairs}`;
}

function interval({ value, low, high }: MetricInterval): string {
  const [at, from, to] = [value, low, high].map((share) => (100 * share).toFixed(1));
  return `${String(at)} % [${String(from)}, ${String(to)}]`;
}
