import type { RegressionReport } from '../regression.ts';
import { COLOURS, CONFIG, withInterval } from './theme.ts';
import type { PlotSpec } from './theme.ts';

const SIZE = 420;
/** More points than this hide each other and swell the SVG. */
const MAX_POINTS = 2000;

export interface PredictedQuantities {
  readonly report: RegressionReport;
  readonly truths: Float32Array;
  readonly predicted: Float32Array;
}

/** Each test sample by its true and its predicted quantity, with the diagonal of perfect prediction. */
export function predictedAgainstTrue({ report, ...quantities }: PredictedQuantities): PlotSpec {
  const values = points(quantities);
  const both = values.flatMap(({ truth, predicted }) => [truth, predicted]);
  const domain = [Math.min(...both), Math.max(...both)];
  const axis = (field: string, title: string): object => ({
    field,
    type: 'quantitative',
    title: `${title} ${name(report)}`,
    scale: { domain, nice: true, zero: false },
  });
  const { rmse, r2 } = report.summary;
  return {
    title: {
      text: `Predicted against true: ${report.model} on ${report.dataset}`,
      subtitle: [
        `${report.summary.samples.toLocaleString('en')} test samples. R² ${withInterval(r2, (value) => value.toFixed(3))}`,
        `RMSE ${withInterval(rmse, (value) => value.toPrecision(4))}. Dashed: perfect.`,
      ],
    },
    width: SIZE,
    height: SIZE,
    layer: [
      {
        data: { values: domain.map((value) => ({ truth: value, predicted: value })) },
        mark: { type: 'line', color: COLOURS.grey, strokeDash: [5, 4] },
        encoding: { x: axis('truth', 'True'), y: axis('predicted', 'Predicted') },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 36, opacity: 0.6, color: COLOURS.blue },
        encoding: { x: axis('truth', 'True'), y: axis('predicted', 'Predicted') },
      },
    ],
    config: CONFIG,
  };
}

/** Predicted minus true against predicted: a trend or a funnel says what the model does not know. */
export function residualPlot({ report, ...quantities }: PredictedQuantities): PlotSpec {
  const x = {
    field: 'predicted',
    type: 'quantitative',
    title: `Predicted ${name(report)}`,
    scale: { zero: false },
  };
  return {
    title: {
      text: `Residuals: ${report.model} on ${report.dataset}`,
      subtitle: [
        `Predicted minus true. MAE ${withInterval(report.summary.mae, (value) => value.toPrecision(4))}`,
        `Mean residual ${report.residuals.mean.toPrecision(3)}`,
      ],
    },
    width: SIZE,
    height: 300,
    layer: [
      {
        data: { values: [{}] },
        mark: { type: 'rule', color: COLOURS.grey, strokeDash: [5, 4] },
        encoding: { y: { datum: 0 } },
      },
      {
        data: { values: points(quantities) },
        mark: { type: 'point', filled: true, size: 36, opacity: 0.6, color: COLOURS.orange },
        encoding: { x, y: { field: 'residual', type: 'quantitative', title: 'Residual' } },
      },
    ],
    config: CONFIG,
  } as PlotSpec;
}

function points({ truths, predicted }: Omit<PredictedQuantities, 'report'>): {
  truth: number;
  predicted: number;
  residual: number;
}[] {
  const every = Math.max(1, Math.ceil(truths.length / MAX_POINTS));
  return [...truths.keys()]
    .filter((sample) => sample % every === 0)
    .map((sample) => {
      const truth = truths[sample] as number;
      const value = predicted[sample] as number;
      return { truth, predicted: value, residual: value - truth };
    });
}

function name({ target }: RegressionReport): string {
  return target.unit === undefined ? target.name : `${target.name} (${target.unit})`;
}
