import type { EvaluatedModel, ExportedModel, PreparedData, TrainedModel } from '../../contracts/activities.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { EvaluationSummary, MetricInterval } from '../../contracts/train-register-deploy.ts';
import { failure } from '../shared/failures.ts';
import type { ProducedModel, Training } from './training.ts';

/** Segments that may end before the end of the one before. */
const MOST_LOSSES = 5;

/** From the data card to the tracked run: `verifyDataCard` … `logRun`. Nothing here needs to be undone. */
export async function produceModel(training: Training): Promise<ProducedModel> {
  const { input, context, run, activities, steps } = training;
  const { model, dataset, tenant, seed, registerAs } = input;
  const { card, cardSha256, dataSha256 } = await run.stage(
    'verifyDataCard',
    () => activities.data(`Card and files of ${dataset}`).verifyDataCard({ dataset, tenant }),
    (verified) => `data ${short(verified.dataSha256)}`,
  );
  const data: PreparedData = await steps.stage('prepareData', {
    args: { dataset, tenant, seed, validationShare: input.training.validationShare },
    // Of the files as they are now: a changed byte is another key.
    also: { cardSha256, dataSha256 },
    work: (args) => activities.data(`Split with seed ${seed}`).prepareData(args),
    describe: ({ counts }) => `${counts.train} to train, ${counts.validation} to validate, ${counts.test} to test`,
  });
  const trained = await train(training, data);
  const evaluated = await evaluate(training, data, trained);
  const exported: ExportedModel = await steps.stage('exportOnnx', {
    args: { model, data, weights: trained.weights, logits: evaluated.logits },
    work: (args) => activities.model('ONNX, compared on the whole test set').exportOnnx(args),
    describe: ({ maxAbsDifference, samples }) => `max |Δ| ${maxAbsDifference.toExponential(1)} on ${samples} samples`,
  });
  const mlflow = await run.stage(
    'logRun',
    () =>
      activities.data('Parameters, metrics and artifacts to MLflow').logRun({
        run: context,
        registerAs,
        dataset,
        model,
        training: input.training,
        seed,
        card,
        data,
        trained,
        evaluated,
        exported,
        reused: steps.reused,
      }),
    ({ runId }) => `run ${runId}`,
  );
  training.result.mlflow = { experimentId: mlflow.experimentId, runId: mlflow.runId };
  run.report.link('MLflow run', mlflow.url);
  if (Object.keys(steps.reused).length > 0) training.result.reused = steps.reused;
  const { 'git.commit': gitCommit = 'unknown', 'code.sha256': codeSha256 } = trained.tags;
  const origin = { dataset, gitCommit, codeSha256, weightsSha256: trained.weights.sha256, reused: steps.reused };
  return { card, data, evaluated, exported, mlflow, model, origin };
}

/** Segments of at most five minutes: between two of them the queue may give the device to somebody else. */
async function train(
  { input, context, run, activities, steps, result }: Training,
  data: PreparedData,
): Promise<TrainedModel> {
  const { model, training, seed } = input;
  const trained: TrainedModel = await steps.stage('train', {
    args: { run: context, model, training, seed, data },
    work: async (args) => {
      for (let done = 0, losses = 0; ;) {
        const summary = done === 0 ? `${training.epochs} epochs of ${model.name}` : `${model.name} from step ${done}`;
        const segment = await activities.gpu(summary).trainModel(args);
        if (!('continue' in segment)) return segment;
        // Behind a damaged checkpoint lies the one before it; a training that does not advance has a defect.
        if (segment.step < done) losses += 1;
        if (segment.step === done || losses > MOST_LOSSES) {
          throw failure('INTERNAL', `A segment of the training ended at step ${segment.step}, after step ${done}.`);
        }
        done = segment.step;
        run.report.note('train', 'running', `step ${done} of ${segment.steps}`);
      }
    },
    describe: (done) => `${done.steps} steps in ${done.seconds.toFixed(1)} s, weights ${short(done.weights.sha256)}`,
  });
  result.weightsSha256 = trained.weights.sha256;
  run.report.measure({ trainingSeconds: trained.seconds });
  return trained;
}

async function evaluate(
  { input, run, activities, steps, result }: Training,
  data: PreparedData,
  trained: TrainedModel,
): Promise<EvaluatedModel> {
  const { model, seed } = input;
  const evaluated: EvaluatedModel = await steps.stage('evaluate', {
    args: { model, data, trained, seed },
    work: (args) => activities.gpu('Metrics with intervals, plots').evaluateModel(args),
    describe: ({ summary }) => `${headline(summary)} on ${summary.samples} samples`,
  });
  run.report.measure(
    Object.fromEntries(metricsOf(evaluated.summary).map((metric) => [metric.name, metric.interval.value])),
  );
  result.evaluation = evaluated.summary;
  return evaluated;
}

function headline(summary: EvaluationSummary): string {
  const [{ title, interval: measured }] = metricsOf(summary);
  return `${title} ${interval(measured)}`;
}

function short(sha256: string): string {
  return sha256.slice(0, 12);
}

function interval({ value, low, high }: MetricInterval): string {
  return `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
}
