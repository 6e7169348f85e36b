import { serveChild } from '../heavy/index.ts';
import type { EvaluationInput, EvaluationOutput, EvaluationProgress } from './evaluate.ts';
import { parseHistory } from './history.ts';
import { evaluationPlots, render } from './plots/index.ts';
import type { Picture } from './plots/index.ts';
import { predict } from './predictions.ts';
import { createReport } from './report.ts';
import { readInt32, readSamples } from '../datasets/index.ts';

serveChild(
  async (input: EvaluationInput, report: (progress: EvaluationProgress) => void): Promise<EvaluationOutput> => {
    report({ stage: 'metrics' });
    const result = createReport({
      ...input.subject,
      predictions: predict(input.logits, await readInt32(input.files.y), input.subject.labels.length),
      seed: input.seed,
      onProgress: () => report({ stage: 'metrics' }),
    });
    const specs = evaluationPlots({
      report: result,
      history: parseHistory(input.history),
      samples: { data: await readSamples(input.files.x, input.input.dtype), shape: input.input.shape },
    });
    const pictures: Record<string, Picture> = {};
    for (const [name, spec] of Object.entries(specs)) {
      report({ stage: 'plots' });
      pictures[name] = await render(spec);
    }
    return { report: result, pictures };
  },
);
