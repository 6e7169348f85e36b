import type { ClassificationReport } from '../report.ts';
import { COLOURS, CONFIG, withInterval } from './theme.ts';
import type { PlotSpec } from './theme.ts';

const SIZE = 400;
const TENTHS = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** Accuracy against confidence by bin, with the diagonal of perfect calibration, above the number of samples a bin. */
export function reliabilityDiagram(report: ClassificationReport): PlotSpec {
  const bins = report.calibration.filter((bin) => bin.samples > 0);
  const error = withInterval(report.summary.ece, (value) => value.toFixed(4));
  const x = (title: string | null): object => ({
    field: 'from',
    type: 'quantitative',
    bin: { binned: true },
    scale: { domain: [0, 1] },
    axis: { title, format: '.1f', values: TENTHS, grid: false },
  });
  return {
    title: {
      text: `Reliability: ${report.model} on ${report.dataset}`,
      subtitle: [
        `Expected calibration error ${error}`,
        'Bars: accuracy of each of 15 bins. Orange: gap to their mean confidence. Dashed: perfect.',
      ],
    },
    data: { values: bins },
    spacing: 14,
    vconcat: [
      { width: SIZE, height: SIZE, layer: [accuracyBars(x(null)), diagonal(), gaps()] },
      {
        width: SIZE,
        height: 80,
        mark: { type: 'bar', color: '#9CA3AF', binSpacing: 1 },
        encoding: {
          x: x('Confidence (probability of the predicted class)'),
          x2: { field: 'to' },
          y: {
            field: 'samples',
            type: 'quantitative',
            scale: { type: 'symlog' },
            axis: { title: 'Samples (log)', format: ',d', values: [0, 10, 100, 1000, 10_000, 100_000] },
          },
        },
      },
    ],
    config: CONFIG,
  } as PlotSpec;
}

function accuracyBars(x: object): object {
  return {
    mark: { type: 'bar', color: COLOURS.sky, binSpacing: 1 },
    encoding: {
      x,
      x2: { field: 'to' },
      y: {
        field: 'accuracy',
        type: 'quantitative',
        scale: { domain: [0, 1] },
        axis: { title: 'Accuracy', format: '.1f', values: TENTHS },
      },
    },
  };
}

function gaps(): object {
  return {
    mark: { type: 'rule', color: COLOURS.orange, strokeWidth: 3 },
    encoding: {
      x: { field: 'confidence', type: 'quantitative' },
      y: { field: 'accuracy', type: 'quantitative' },
      y2: { field: 'confidence' },
    },
  };
}

function diagonal(): object {
  return {
    data: { values: TENTHS.map((value) => ({ value })) },
    mark: { type: 'line', color: COLOURS.grey, strokeDash: [5, 4] },
    encoding: { x: { field: 'value', type: 'quantitative' }, y: { field: 'value', type: 'quantitative' } },
  };
}
