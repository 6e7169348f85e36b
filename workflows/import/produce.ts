import type { AdaptedModel, EvaluatedModel, PreparedData } from '../../contracts/activities.ts';
import type { ImportFacts, ScanReport } from '../../contracts/import-model.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { ProducedModel } from '../train/training.ts';
import type { Importing } from './importing.ts';

/** Share of the training samples held out; an import uses the test split alone. */
const VALIDATION_SHARE = 0.1;

/** From the file to the tracked run: `scan` … `logRun`. Nothing here needs to be undone. */
export async function produceImport(importing: Importing): Promise<ProducedModel> {
  const { input, context, run, activities, result } = importing;
  const { card, file, registerAs, seed, tenant } = input;
  const { dataset } = card;
  const scan = await run.stage(
    'scan',
    () => activities.model(`Structure of ${file.sha256.slice(0, 12)}, ${file.bytes} bytes`).scanImport({ file }),
    ({ nodes, operators }) => `${nodes} nodes of ${operators.length} operators`,
  );
  result.scan = scan;
  const { card: dataCard } = await run.stage(
    'verifyDataCard',
    () => activities.data(`Card and files of ${dataset}`).verifyDataCard({ dataset, tenant }),
    ({ dataSha256 }) => `data ${dataSha256.slice(0, 12)}`,
  );
  const data = await run.stage(
    'prepareData',
    () =>
      activities
        .data(`Test set of ${dataset}`)
        .prepareData({ dataset, tenant, seed, validationShare: VALIDATION_SHARE }),
    ({ counts }) => `${counts.test} to test`,
  );
  const exported = await run.stage(
    'adapt',
    () =>
      activities.model('Wrapped graph, compared with the file on the whole test set').adaptImport({ file, card, data }),
    ({ maxAbsDifference, samples }) => `max |Δ| ${maxAbsDifference.toExponential(1)} on ${samples} samples`,
  );
  const evaluated = await evaluate(importing, data, exported);
  const imported = factsOf(importing, scan);
  const mlflow = await run.stage(
    'logRun',
    () =>
      activities
        .data('Declarations, metrics and artifacts to MLflow')
        .logImport({ run: context, registerAs, card: dataCard, data, evaluated, exported, imported, seed }),
    ({ runId }) => `run ${runId}`,
  );
  result.mlflow = { experimentId: mlflow.experimentId, runId: mlflow.runId };
  run.report.link('MLflow run', mlflow.url);
  // Nothing of this platform trained it: its weights are what the file holds.
  const origin = { dataset, gitCommit: 'unknown', weightsSha256: file.sha256, reused: {} };
  return { card: dataCard, data, evaluated, exported, mlflow, model: imported, origin };
}

async function evaluate(
  { input, run, activities, result }: Importing,
  data: PreparedData,
  adapted: AdaptedModel,
): Promise<EvaluatedModel> {
  const { registerAs, seed } = input;
  const evaluated = await run.stage(
    'evaluate',
    () => activities.model('Metrics with intervals, plots').evaluateImport({ registerAs, data, adapted, seed }),
    ({ summary }) => {
      const [{ title, interval }] = metricsOf(summary);
      return `${title} ${interval.value.toFixed(4)} on ${summary.samples} samples`;
    },
  );
  const measured = metricsOf(evaluated.summary).map(({ name, interval }): [string, number] => [name, interval.value]);
  run.report.measure(Object.fromEntries(measured));
  result.evaluation = evaluated.summary;
  return evaluated;
}

function factsOf({ input }: Importing, scan: ScanReport): ImportFacts {
  return { version: 1, card: input.card, original: input.file, scan, importedBy: input.requestedBy };
}
