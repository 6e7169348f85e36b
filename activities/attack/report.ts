import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { AttackReportRequest, CpuActivities, LoggedRun } from '../../contracts/activities.ts';
import type { AttackResult } from '../../contracts/attack-retest.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import { AttackReport, renderReport } from '../../lib/adversary/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { MLFLOW_TAGS } from '../../lib/clients/index.ts';
import type { Metric, MlflowClient, MlflowRun } from '../../lib/clients/index.ts';
import { drawPng } from '../../lib/evaluation/index.ts';
import { attackMetrics } from './metrics.ts';
import { pictureOf } from './picture.ts';
import { uploadReport } from './upload.ts';

export interface ReportDependencies {
  readonly store: ArtifactStore;
  readonly mlflow: MlflowClient;
  /** Base URL of MLflow's pages. */
  readonly urls: { readonly mlflow: string };
  /** Runs `work` while no other attempt does under this name. */
  readonly lock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

export function reportActivities(dependencies: ReportDependencies): Pick<CpuActivities, 'reportAttack'> {
  const { store, lock } = dependencies;
  return {
    /** Every write finds what an earlier attempt left: one run, each point of a metric once. */
    async reportAttack(request) {
      const report = await writeReport(store, request);
      heartbeat('report');
      const mlflow = dependencies.mlflow.with(cancellationSignal());
      const logged = await lock(`mlflow:run:${request.run.key}`, () =>
        logAttack(request, report, { ...dependencies, mlflow }),
      );
      return { report, mlflow: logged };
    },
  };
}

type StoredReport = NonNullable<AttackResult['report']>;

async function writeReport(store: ArtifactStore, request: AttackReportRequest): Promise<StoredReport> {
  const { run, versions, goal, measurement, attacked, baseline, hardened, robustVersion, reasons } = request;
  const target = versions[0]?.target;
  const report = AttackReport.parse({
    version: 1,
    model: target?.model,
    dataset: target?.dataset,
    workflowId: run.key,
    requestedBy: run.requestedBy,
    measurement,
    goal,
    attacked,
    baseline,
    hardened,
    robustVersion,
    reasons,
  });
  const svg = await pictureOf(request, store);
  const picture = svg && (await drawPng(svg, { signal: cancellationSignal() }));
  return {
    json: await store.putJson(report),
    markdown: await store.put(Buffer.from(renderReport(report)), { mediaType: 'text/markdown' }),
    ...(picture && { picture: await store.put(picture, { mediaType: 'image/png' }) }),
  };
}

async function logAttack(
  { run, versions, attacked, hardened, measurement, goal }: AttackReportRequest,
  report: StoredReport,
  { mlflow, store, urls }: ReportDependencies,
): Promise<LoggedRun> {
  const target = versions[0]?.target;
  if (target === undefined) throw new TypeError('an attack reports on at least one version');
  const manifest = await store.readJson(target.manifest, PreparedManifest);
  const logged = await mlflow.runs.ensure({
    experimentId: await mlflow.runs.experiment(`${manifest.dataset}/${target.model}`),
    name: run.key,
    user: run.requestedBy,
    startTime: Date.now(),
    identity: { [MLFLOW_TAGS.runKey]: run.key, [MLFLOW_TAGS.workflowRunId]: run.runId },
  });
  await mlflow.runs.setTags(logged.runId, {
    'mlflow.source.name': `attackRetest ${run.key}`,
    'mlflow.source.type': 'JOB',
    // Shown below the run that the attacked version came from.
    ...(target.mlflowRunId !== undefined && { 'mlflow.parentRunId': target.mlflowRunId }),
    'saip.model': target.model,
    'saip.dataset': manifest.dataset,
    'saip.attacked.version': attacked.version,
    'saip.attacked.digest': attacked.digest,
    'saip.attack.config.sha256': attacked.configSha256,
    'saip.hardened.versions': hardened.map(({ version }) => version).join(','),
    'mlflow.note.content': (await store.read(report.markdown)).toString('utf8'),
  });
  await mlflow.runs.logParams(logged.runId, {
    attacks: JSON.stringify(measurement.attacks),
    epsilons: measurement.epsilons.join(','),
    samples: String(measurement.samples),
    seed: String(measurement.seed),
    'goal.epsilon': String(goal.epsilon),
    'goal.minRobustAccuracy': String(goal.minRobustAccuracy),
  });
  const metrics: Metric[] = [attacked, ...hardened].flatMap((version, step) =>
    attackMetrics(version).map((metric) => ({ ...metric, step, timestamp: logged.startTime + step })),
  );
  await mlflow.runs.logMetrics(logged.runId, metrics);
  await uploadReport({ mlflow, store, artifactUri: logged.artifactUri, report });
  await mlflow.runs.finish(logged.runId, 'FINISHED');
  return { experimentId: logged.experimentId, runId: logged.runId, url: runUrl(logged, urls.mlflow) };
}

function runUrl({ experimentId, runId }: MlflowRun, base: string): string {
  return `${base}/#/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
}
