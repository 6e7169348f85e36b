import { readFloat32, readInt32, readSamples } from '../datasets/index.ts';
import { serveChild } from '../heavy/index.ts';
import type { EvaluationInput, EvaluationOutput, EvaluationProgress, EvaluationReport } from './evaluate.ts';
import { parseHistory } from './history.ts';
import { evaluationPlots, regressionPlots, render } from './plots/index.ts';
import type { Picture, PlotSpec } from './plots/index.ts';
import { predict } from './predictions.ts';
import { createRegressionReport } from './regression.ts';
import { createReport } from './report.ts';

type Report = (progress: EvaluationProgress) => void;

serveChild(async (input: EvaluationInput, report: Report): Promise<EvaluationOutput> => {
  report({ stage: 'metrics' });
  const onProgress = (): void => report({ stage: 'metrics' });
  const evaluated =
    input.target === undefined
      ? await classification(input, onProgress)
      : await regression(input, input.target, onProgress);
  const pictures: Record<string, Picture> = {};
  for (const [name, spec] of Object.entries(evaluated.specs)) {
    report({ stage: 'plots' });
    pictures[name] = await render(spec);
  }
  return { report: evaluated.report, pictures };
});

interface Evaluated {
  readonly report: EvaluationReport;
  readonly specs: Record<string, PlotSpec>;
}

async function classification(input: EvaluationInput, onProgress: () => void): Promise<Evaluated> {
  const { subject, logits, files, seed } = input;
  const labels = await readInt32(files.y);
  const predictions = predict(logits, labels, subject.labels.length);
  const report = createReport({ ...subject, predictions, seed, onProgress });
  const data = await readSamples(files.x, input.input.dtype);
  const samples = { data, shape: input.input.shape };
  return { report, specs: evaluationPlots({ report, history: parseHistory(input.history), samples }) };
}

async function regression(
  { subject, logits, files, seed, history }: EvaluationInput,
  target: NonNullable<EvaluationInput['target']>,
  onProgress: () => void,
): Promise<Evaluated> {
  const truths = await readFloat32(files.y);
  const report = createRegressionReport({ ...subject, target, truths, predicted: logits, seed, onProgress });
  return { report, specs: regressionPlots({ report, history: parseHistory(history), truths, predicted: logits }) };
}
