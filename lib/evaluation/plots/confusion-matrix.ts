import type { ClassificationReport } from '../report.ts';
import { CONFIG, percent, withInterval } from './theme.ts';
import type { PlotSpec } from './theme.ts';

/** Counts by true and predicted class; the shade is the share of the true class, on a square-root scale so that the
 * rare mistakes beside a full diagonal can be told apart. */
export function confusionMatrix(report: ClassificationReport): PlotSpec {
  const { labels, matrix } = report.confusion;
  const cells = matrix.flatMap((row, t) => {
    const support = row.reduce((sum, cell) => sum + cell.value, 0);
    return row.map((cell, p) => ({
      truth: labels[t],
      predicted: labels[p],
      count: cell.value,
      share: support === 0 ? 0 : cell.value / support,
    }));
  });
  const side = Math.max(360, 46 * labels.length);
  const axis = { labelAngle: 0, ticks: false, domain: false } as const;
  return {
    title: {
      text: `Confusion matrix: ${report.model} on ${report.dataset}`,
      subtitle: `${report.summary.samples.toLocaleString('en')} test samples, accuracy ${withInterval(report.summary.accuracy, percent)}`,
    },
    data: { values: cells },
    width: side,
    height: side,
    encoding: {
      x: { field: 'predicted', type: 'ordinal', sort: labels, title: 'Predicted class', axis },
      y: { field: 'truth', type: 'ordinal', sort: labels, title: 'True class', axis },
    },
    layer: [
      {
        mark: { type: 'rect', stroke: 'white', strokeWidth: 1 },
        encoding: {
          color: {
            field: 'share',
            type: 'quantitative',
            scale: { type: 'sqrt', domain: [0, 1], range: ['#F4F8FC', '#08519C'] },
            legend: {
              title: 'Share of the true class',
              orient: 'right',
              format: '.0%',
              values: [0, 0.01, 0.1, 0.25, 0.5, 1],
            },
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 12 },
        encoding: {
          text: { field: 'count', type: 'quantitative', format: ',' },
          color: { condition: { test: 'datum.share > 0.3', value: 'white' }, value: '#111827' },
          opacity: { condition: { test: 'datum.count === 0', value: 0.25 }, value: 1 },
        },
      },
    ],
    config: CONFIG,
  };
}
