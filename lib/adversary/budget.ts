import type { AnswerKind, BudgetChoice, ExtractionBudget, ExtractionCurve } from '../../contracts/extraction.ts';

/**
 * The largest measured number of queries up to which no copy reaches the threshold: where it, and every smaller number,
 * has an interval that ends below. Nothing is read between the points or beyond the last one.
 */
export function extractionBudget(
  { points }: Pick<ExtractionCurve, 'points'>,
  { answers, threshold }: { readonly answers: AnswerKind; readonly threshold: number },
): ExtractionBudget {
  const own = points.filter((point) => point.answers === answers).sort((a, b) => a.queries - b.queries);
  const first = own.findIndex(({ fidelity }) => fidelity.high >= threshold);
  const budgetRows = own.at(first === -1 ? -1 : first - 1)?.queries;
  if (first === 0 || budgetRows === undefined) return { answers, threshold, reached: first === 0 };
  return { answers, threshold, budgetRows, reached: first !== -1 };
}

/** One for each kind of answer that was measured. */
export function extractionBudgets(curve: Pick<ExtractionCurve, 'points'>, threshold: number): ExtractionBudget[] {
  const kinds = [...new Set(curve.points.map(({ answers }) => answers))];
  return kinds.map((answers) => extractionBudget(curve, { answers, threshold }));
}

/**
 * That of the kind that was asked for, else the one that allows less.
 * @returns undefined where the kind was not measured
 */
export function chooseBudget(
  curve: Pick<ExtractionCurve, 'points'>,
  { answers, threshold }: BudgetChoice,
): ExtractionBudget | undefined {
  const budgets = extractionBudgets(curve, threshold);
  if (answers !== undefined) return budgets.find((budget) => budget.answers === answers);
  return budgets.sort((a, b) => (a.budgetRows ?? 0) - (b.budgetRows ?? 0))[0];
}
