import { failure } from '../shared/failures.ts';
import type { Assault } from './assault.ts';

/** Writes down what was measured, whether or not the goal was reached. */
export async function reportAttack(assault: Assault): Promise<void> {
  const { input, context, run, activities, versions, hardened, reasons, result } = assault;
  const { attacked, baseline, robustVersion } = result;
  const target = versions[0]?.target;
  if (attacked === undefined || target === undefined) throw failure('INTERNAL', 'There is nothing to report.');
  const { report, mlflow } = await run.stage(
    'report',
    () =>
      activities.data('JSON, Markdown and picture, to MLflow').reportAttack({
        run: context,
        goal: input.goal,
        measurement: { ...assault.measurement, samples: attacked.measured.samples },
        versions,
        attacked,
        ...(baseline && { baseline }),
        hardened,
        ...(robustVersion !== undefined && { robustVersion }),
        reasons,
      }),
    ({ mlflow: { runId } }) => `run ${runId}`,
  );
  result.report = report;
  result.mlflow = { experimentId: mlflow.experimentId, runId: mlflow.runId };
  run.report.link('MLflow run', mlflow.url);
}
