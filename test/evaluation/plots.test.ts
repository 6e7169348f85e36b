import { describe, expect, it } from '@jest/globals';
import { decode } from 'fast-png';
import type { HistoryPoint } from '../../lib/evaluation/history.ts';
import { evaluationPlots, render } from '../../lib/evaluation/plots/index.ts';
import { predict } from '../../lib/evaluation/predictions.ts';
import { createReport } from '../../lib/evaluation/report.ts';
import type { ClassificationReport } from '../../lib/evaluation/report.ts';

const samples = { data: Uint8Array.from({ length: 40 * 16 }, (_, i) => (i * 37) % 256), shape: [4, 4, 1] };
const history: HistoryPoint[] = Array.from({ length: 700 }, (_, i) => ({
  step: i + 1,
  epoch: 0,
  loss: 2 / (i + 1),
  accuracy: 1 - 1 / (i + 2),
  ...(i % 100 === 99 ? { valLoss: 2 / i, valAccuracy: 1 - 1 / i } : {}),
}));

/** Forty samples of three classes; `wrong` of them are misclassified. */
function reportWith(wrong: number): ClassificationReport {
  const labels = Int32Array.from({ length: 40 }, (_, i) => i % 3);
  const logits = Float32Array.from({ length: 120 }, (_, i) => {
    const [sample, c] = [Math.floor(i / 3), i % 3];
    return c === (sample < wrong ? (sample + 1) % 3 : sample % 3) ? 1 + sample / 10 : 0;
  });
  const digest = 'c'.repeat(64);
  return createReport({
    model: 'tiny-net',
    dataset: 'shapes',
    testSet: { x: digest, y: digest },
    labels: ['circle', 'square', 'star'],
    predictions: predict(logits, labels, 3),
    seed: 3,
  });
}

/** Number of pixels that are not white in the first rows, where the title is. */
function inkInTitle(png: Uint8Array): number {
  const { data, width, channels } = decode(png);
  let ink = 0;
  for (let pixel = 0; pixel < width * 80; pixel++) if ((data[pixel * channels] ?? 255) < 128) ink += 1;
  return ink;
}

describe('plots', () => {
  const specs = evaluationPlots({ report: reportWith(5), history, samples });

  it('are four for images', () => {
    expect(Object.keys(specs)).toEqual([
      'training-curves',
      'confusion-matrix',
      'reliability-diagram',
      'worst-mistakes',
    ]);
  });

  it.each<[string, RegExp[]]>([
    [
      'training-curves',
      [/Training: tiny-net/, /700 steps/, />Step</, /Loss \(cross-entropy/, />Accuracy</, />validation</],
    ],
    [
      'confusion-matrix',
      [/on shapes/, /40 test samples, accuracy 87\.50 %/, />Predicted class</, />True class</, />star</],
    ],
    [
      'reliability-diagram',
      [/Expected calibration error/, /Confidence \(probability/, />Accuracy</, /Samples \(log\)/],
    ],
    ['worst-mistakes', [/5 wrong test predictions/, /true circle, predicted square/, /data:image\/png;base64/, /#4</]],
  ])('%s has a title, named axes and its content, in SVG and PNG', async (name, texts) => {
    const { svg, png } = await render(specs[name] as (typeof specs)[string]);
    for (const text of texts) expect(svg).toMatch(text);
    const { width, height } = decode(png);
    expect(Math.min(width, height)).toBeGreaterThan(300);
    expect(inkInTitle(png)).toBeGreaterThan(500);
  });

  it('shows the worst mistakes first, and no more than the grid holds', () => {
    const { worstMistakes } = reportWith(30);
    expect(worstMistakes).toHaveLength(24);
    expect(worstMistakes[0]).toMatchObject({ sample: 29, label: 'star', predicted: 'circle' });
    const confidences = worstMistakes.map(({ confidence }) => confidence);
    expect(confidences).toEqual(confidences.toSorted((a, b) => b - a));
  });

  it('draw a model without mistakes, and a training without accuracy', async () => {
    const bare = history.map(({ step, epoch, loss }) => ({ step, epoch, loss }));
    const plots = evaluationPlots({ report: reportWith(0), history: bare, samples });
    const mistakes = await render(plots['worst-mistakes'] as (typeof specs)[string]);
    expect(mistakes.svg).toContain('No test sample is classified wrongly');
    const curves = await render(plots['training-curves'] as (typeof specs)[string]);
    expect(curves.svg).not.toContain('>Accuracy<');
  });

  it('have no picture grid for samples that are no images, and no curves without a history', () => {
    const table = { data: new Float32Array(40 * 4), shape: [4] };
    const plots = evaluationPlots({ report: reportWith(2), history: [], samples: table });
    expect(Object.keys(plots)).toEqual(['confusion-matrix', 'reliability-diagram']);
  });
});
