import type { ImportRecord, LoggedRun } from '../../contracts/activities.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { MLFLOW_TAGS, type Tags } from '../../lib/clients/index.ts';
import { datasetInputs, datasetKey, heldDigests } from './datasets.ts';
import { uploadFiles, type Files } from './files.ts';
import { runUrl, workflowUrl, type LogRunOptions } from './log-run.ts';
import { logModel } from './logged-model.ts';
import { evaluationMetrics } from './metrics.ts';
import { noteOf } from './parameters.ts';

/**
 * Writes an import to MLflow, as `logRun` does a training. What the importer declared is told apart from what the
 * platform measured.
 * @throws MlflowError, ArtifactError
 */
export async function logImport(record: ImportRecord, options: LogRunOptions): Promise<LoggedRun> {
  const { run, registerAs, data, evaluated, exported, imported } = record;
  const { mlflow, store, urls, onStep } = options;
  const manifest = await store.readJson(data.manifest, PreparedManifest);
  onStep('run');
  const logged = await mlflow.runs.ensure({
    experimentId: await mlflow.runs.experiment(`${manifest.dataset}/${registerAs}`),
    name: run.key,
    user: run.requestedBy,
    startTime: Date.now(),
    identity: { [MLFLOW_TAGS.runKey]: run.key },
  });
  const parameters = parametersOf(record);
  await mlflow.runs.logParams(logged.runId, parameters);
  await mlflow.runs.setTags(logged.runId, {
    ...tagsOf(record, manifest),
    'mlflow.note.content': [
      noteOf({ run, registerAs, evaluated, exported }, workflowUrl(record, urls)),
      `It is that of a file from elsewhere (${imported.card.framework.name}), whose training nobody here saw.`,
    ].join('\n\n'),
  });
  // Before MLflow hears of them: it may name what a collection was about to free.
  await options.hold(heldDigests(record, manifest), `mlflow:${logged.runId}`);
  await mlflow.runs.logInputs(logged.runId, datasetInputs(record, manifest));
  const files = await filesOf(record, store);
  await uploadFiles({ mlflow, store, artifactUri: logged.artifactUri, files, onFile: onStep });
  onStep('model');
  const subject = { run, registerAs, exported };
  const { modelId } = await logModel({ mlflow, store, record: subject, parameters, step: 0, run: logged, manifest });
  const { name: datasetName, digest: datasetDigest } = datasetKey(manifest, 'test');
  const on = { step: 0, timestamp: logged.startTime, modelId, datasetName, datasetDigest };
  await mlflow.runs.logMetrics(logged.runId, evaluationMetrics(evaluated, on));
  return { experimentId: logged.experimentId, runId: logged.runId, url: runUrl(logged, urls.mlflow) };
}

function parametersOf({ imported: { card, scan }, seed }: ImportRecord): Tags {
  const { input, output } = card;
  return {
    'import.framework': [card.framework.name, card.framework.version ?? ''].join(' ').trim(),
    'import.input.layout': input.layout,
    'import.input.scale': input.scale.join(','),
    'import.input.offset': input.offset.join(','),
    'import.output': `${output.kind} ${output.name}`,
    'import.nodes': String(scan.nodes),
    'import.operators': scan.operators.map(({ name, count }) => `${name} ${count}`).join(', '),
    seed: String(seed),
  };
}

/** Which source and training it was is the importer's word; `saip.training.lineage` says so wherever tags are shown. */
function tagsOf({ run, registerAs, data, exported, imported }: ImportRecord, { dataset }: PreparedManifest): Tags {
  const { card, original } = imported;
  return {
    'mlflow.source.name': `importModel ${run.key}`,
    'mlflow.source.type': 'JOB',
    [MLFLOW_TAGS.workflowRunId]: run.runId,
    'saip.model': registerAs,
    'saip.dataset': dataset,
    'saip.data.sha256': data.dataSha256,
    'saip.data.card.sha256': data.cardSha256,
    'saip.onnx.sha256': exported.onnx.sha256,
    'saip.training.lineage': 'declared by the importer',
    'saip.import.original.sha256': original.sha256,
    'saip.import.framework': [card.framework.name, card.framework.version ?? ''].join(' ').trim(),
    'saip.import.source': card.source,
    'saip.import.licence': card.licence,
    'saip.import.by': imported.importedBy,
  };
}

async function filesOf(record: ImportRecord, store: Pick<ArtifactStore, 'putJson'>): Promise<Files> {
  const { card, data, evaluated, imported } = record;
  return {
    'import.json': await store.putJson(imported),
    'original.onnx': imported.original,
    'data/card.json': card,
    'data/manifest.json': data.manifest,
    'evaluation/report.json': evaluated.report,
    ...Object.fromEntries(Object.entries(evaluated.plots).map(([name, ref]) => [`evaluation/${name}`, ref])),
  };
}
