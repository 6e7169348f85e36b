import type { EvaluatedModel, PreparedData, TrainedModel } from '../../contracts/activities.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { EvaluationSummary, MetricInterval } from '../../contracts/train-register-deploy.ts';
import { failure } from '../shared/failures.ts';
import type { ProducedModel, Training } from './training.ts';

/** From the data card to the tracked run: `verifyDataCard` … `logRun`. Nothing here needs to be undone. */
export async function produceModel(training: Training): Promise<ProducedModel> {
  const { input, context, run, activities } = training;
  const { model, dataset, seed, registerAs } = input;
  const { card } = await run.stage(
    'verifyDataCard',
    () => activities.data(`Card and files of ${dataset}`).verifyDataCard({ dataset }),
    ({ dataSha256 }) => `data ${short(dataSha256)}`,
  );
  const data = await run.stage(
    'prepareData',
    () => {
      const { validationShare } = input.training;
      return activities.data(`Split with seed ${seed}`).prepareData({ dataset, seed, validationShare });
    },
    ({ counts }) => `${counts.train} to train, ${counts.validation} to validate, ${counts.test} to test`,
  );
  const trained = await train(training, data);
  const evaluated = await evaluate(training, data, trained);
  const exported = await run.stage(
    'exportOnnx',
    () =>
      activities
        .model('ONNX, compared on the whole test set')
        .exportOnnx({ model, data, weights: trained.weights, logits: evaluated.logits }),
    ({ maxAbsDifference, samples }) => `max |Δ| ${maxAbsDifference.toExponential(1)} on ${samples} samples`,
  );
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
      }),
    ({ runId }) => `run ${runId}`,
  );
  training.result.mlflow = { experimentId: mlflow.experimentId, runId: mlflow.runId };
  run.report.link('MLflow run', mlflow.url);
  return { card, data, evaluated, exported, mlflow };
}

/** Segments of at most five minutes: between two of them the queue may give the device to somebody else. */
async function train({ input, context, run, activities, result }: Training, data: PreparedData): Promise<TrainedModel> {
  const { model, training, seed } = input;
  const args = { run: context, model, training, seed, data };
  const trained = await run.stage(
    'train',
    async () => {
      for (let done = 0; ;) {
        const summary = done === 0 ? `${training.epochs} epochs of ${model.name}` : `${model.name} from step ${done}`;
        const segment = await activities.gpu(summary).trainModel(args);
        if (!('continue' in segment)) return segment;
        if (segment.step <= done) throw failure('INTERNAL', `A segment of the training ended where it began: ${done}.`);
        done = segment.step;
        run.report.note('train', 'running', `step ${done} of ${segment.steps}`);
      }
    },
    ({ steps, seconds, weights }) => `${steps} steps in ${seconds.toFixed(1)} s, weights ${short(weights.sha256)}`,
  );
  result.weightsSha256 = trained.weights.sha256;
  run.report.measure({ trainingSeconds: trained.seconds });
  return trained;
}

async function evaluate(
  { input, run, activities, result }: Training,
  data: PreparedData,
  trained: TrainedModel,
): Promise<EvaluatedModel> {
  const { model, seed } = input;
  const evaluated = await run.stage(
    'evaluate',
    () => activities.gpu('Metrics with intervals, plots').evaluateModel({ model, data, trained, seed }),
    ({ summary }) => `${headline(summary)} on ${summary.samples} samples`,
  );
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
