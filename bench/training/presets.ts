import { metricsOf } from '../../contracts/train-register-deploy.ts';
import { evaluate } from '../../lib/evaluation/index.ts';
import { computeLogits, loadPreset, trainInChild } from '../../lib/ml/index.ts';
import { MemoryTrainingStore } from '../../test/ml/support/memory-training-store.ts';
import type { Figure } from '../figure.ts';
import type { BenchData } from './contestants.ts';

const SEED = 42;

const TARGETS = [
  { preset: 'mnist-cnn', accuracy: 0.99, seconds: 120 },
  { preset: 'mnist-mlp', accuracy: 0.975, seconds: 120 },
  { preset: 'mnist-softmax', accuracy: 0.91, seconds: 60 },
] as const;

/** Accuracy on the whole test set with its 95 % bootstrap interval, and the time from start to the stored weights. */
export async function presetFigures(data: BenchData, say: (line: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { preset, accuracy, seconds } of TARGETS) {
    say(`training ${preset}`);
    const { model, training } = loadPreset(preset);
    const begin = performance.now();
    const { trained, resumes, steps } = await trainInChild({
      key: 'bench',
      model,
      training,
      seed: SEED,
      manifest: data.manifest,
      dataSha256: data.ref.sha256,
      artifacts: data.store,
      trainings: new MemoryTrainingStore(),
    });
    const took = (performance.now() - begin) / 1000;
    if (trained === undefined || resumes > 0) throw new Error(`${preset} was not trained in one go`);
    const common = { manifest: data.manifest, store: data.store };
    const logits = await computeLogits({ ...common, model, weights: trained.weights, split: 'test' });
    const history = (await data.store.read(trained.history)).toString('utf8');
    const { report } = await evaluate({ ...common, model: model.name, logits, history, seed: SEED });
    const [{ interval }] = metricsOf(report.summary);
    const { value, low, high } = interval;
    figures.push(
      {
        what: `${preset}: test accuracy`,
        measured: percent(value),
        target: `≥ ${percent(accuracy)}`,
        met: value >= accuracy,
        detail: `95 % interval ${percent(low)}–${percent(high)}, ${training.epochs} epochs, seed ${SEED}`,
      },
      {
        what: `${preset}: time to weights`,
        measured: `${took.toFixed(1)} s`,
        target: `< ${seconds} s`,
        met: took < seconds,
        detail: `${steps} steps of ${training.batchSize}, start of the processes included`,
      },
    );
  }
  return figures;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
