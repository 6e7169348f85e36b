import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { CpuActivities, ExtractionReportRequest, LoggedRun } from '../../contracts/activities.ts';
import type { ExtractionResult } from '../../contracts/extraction.ts';
import { ExtractionReport, renderExtraction } from '../../lib/adversary/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { MLFLOW_TAGS } from '../../lib/clients/index.ts';
import type { Metric, MlflowClient } from '../../lib/clients/index.ts';
import { drawExtraction } from '../../lib/evaluation/index.ts';

export interface ReportDependencies {
  readonly store: ArtifactStore;
  readonly mlflow: MlflowClient;
  /** Base URL of MLflow's pages. */
  readonly urls: { readonly mlflow: string };
  /** Runs `work` while no other attempt does under this name. */
  readonly lock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

type StoredReport = NonNullable<ExtractionResult['report']>;

export function reportActivities(dependencies: ReportDependencies): Pick<CpuActivities, 'reportExtraction'> {
  const { store, lock } = dependencies;
  return {
    /** Every write finds what an earlier attempt left: one run, each point of a metric once. */
    async reportExtraction(request) {
      const report = await writeReport(store, request);
      heartbeat('report');
      const mlflow = dependencies.mlflow.with(cancellationSignal());
      const logged = await lock(`mlflow:run:${request.run.key}`, () =>
        logExtraction(request, report, { ...dependencies, mlflow }),
      );
      return { report, mlflow: logged };
    },
  };
}

async function writeReport(store: ArtifactStore, request: ExtractionReportRequest): Promise<StoredReport> {
  const { run, target, configSha256, extraction, curve, budgets } = request;
  const report = ExtractionReport.parse({
    version: 1,
    model: target.model,
    modelVersion: target.version,
    digest: target.digest,
    dataset: target.dataset,
    workflowId: run.key,
    requestedBy: run.requestedBy,
    ...{ configSha256, extraction, curve, budgets },
  });
  const plot = await drawExtraction(
    {
      title: `Copies of ${target.model} version ${target.version}`,
      subtitle: `Substitute ${curve.substitute}, ${curve.evaluated} unseen samples, 95 % intervals`,
      points: curve.points,
      threshold: budgets[0]?.threshold ?? 1,
    },
    { signal: cancellationSignal() },
  );
  return {
    json: await store.putJson(report),
    markdown: await store.put(Buffer.from(renderExtraction(report)), { mediaType: 'text/markdown' }),
    plot: await store.put(plot.png, { mediaType: 'image/png' }),
  };
}

async function logExtraction(
  { run, target, configSha256, extraction, curve, budgets }: ExtractionReportRequest,
  report: StoredReport,
  { mlflow, store, urls }: ReportDependencies,
): Promise<LoggedRun> {
  const logged = await mlflow.runs.ensure({
    experimentId: await mlflow.runs.experiment(`${target.dataset}/${target.model}`),
    name: run.key,
    user: run.requestedBy,
    startTime: Date.now(),
    identity: { [MLFLOW_TAGS.runKey]: run.key, [MLFLOW_TAGS.workflowRunId]: run.runId },
  });
  await mlflow.runs.setTags(logged.runId, {
    'mlflow.source.name': `measureExtraction ${run.key}`,
    'mlflow.source.type': 'JOB',
    // Shown below the run that the version came from.
    ...(target.mlflowRunId !== undefined && { 'mlflow.parentRunId': target.mlflowRunId }),
    'saip.model': target.model,
    'saip.dataset': target.dataset,
    'saip.attacked.version': target.version ?? '',
    'saip.attacked.digest': target.digest,
    'saip.extraction.config.sha256': configSha256,
    ...Object.fromEntries(
      budgets.map(({ answers, budgetRows }) => [`saip.extraction.budget.${answers}`, String(budgetRows ?? 'none')]),
    ),
    'mlflow.note.content': (await store.read(report.markdown)).toString('utf8'),
  });
  await mlflow.runs.logParams(logged.runId, {
    queries: extraction.queries.join(','),
    answers: extraction.answers.join(','),
    'own.samples': String(curve.ownSamples),
    substitute: curve.substitute,
    step: String(extraction.step),
    seed: String(extraction.seed),
    threshold: String(budgets[0]?.threshold ?? ''),
  });
  // Against the number of queries, so that MLflow draws the curve as well.
  const metrics: Metric[] = curve.points.flatMap(({ answers, queries, fidelity, accuracy }) =>
    Object.entries({
      [`fidelity_${answers}`]: fidelity.value,
      [`fidelity_${answers}_low`]: fidelity.low,
      [`fidelity_${answers}_high`]: fidelity.high,
      [`copy_accuracy_${answers}`]: accuracy.value,
    }).map(([key, value]) => ({ key, value, step: queries, timestamp: logged.startTime + queries })),
  );
  await mlflow.runs.logMetrics(logged.runId, metrics);
  const files = { 'report.json': report.json, 'report.md': report.markdown, 'curve.png': report.plot };
  for (const [name, ref] of Object.entries(files)) {
    const file = { ...ref, path: await store.path(ref) };
    await mlflow.artifacts.uploadFile(logged.artifactUri, `extraction/${name}`, file);
  }
  await mlflow.runs.finish(logged.runId, 'FINISHED');
  const { experimentId, runId } = logged;
  const url = `${urls.mlflow}/#/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
  return { experimentId, runId, url };
}
