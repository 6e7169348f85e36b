import type { HistoryPoint } from '../history.ts';
import { COLOURS, CONFIG } from './theme.ts';
import type { PlotSpec } from './theme.ts';

/** More points than this say nothing in a panel of 420 pixels and swell the SVG. */
const MAX_POINTS = 500;
/** Logged steps on either side of the running mean. */
const HALF_WINDOW = 10;
const SERIES = [
  { name: 'training', colour: COLOURS.blue },
  { name: 'validation', colour: COLOURS.orange },
] as const;

interface Point {
  readonly step: number;
  readonly value: number;
  readonly mean?: number;
  readonly series: (typeof SERIES)[number]['name'];
}

/** Loss (logarithmic) and, of a classifier, accuracy against the step: logged steps pale, their running mean and the validation bold. */
export function trainingCurves(
  history: readonly HistoryPoint[],
  model: string,
  lossTitle = 'Loss (cross-entropy in nats, log scale)',
): PlotSpec {
  const steps = history.at(-1)?.step ?? 0;
  const loss = series(history, 'loss', 'valLoss').filter(({ value }) => value > 0);
  const accuracy = series(history, 'accuracy', 'valAccuracy');
  const panels = [
    panel(loss, {
      title: lossTitle,
      scale: { type: 'log', nice: false },
      axis: { values: [1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100], format: '~g' },
    }),
    panel(accuracy, {
      title: 'Accuracy',
      scale: { type: 'linear', domain: [floorOf(accuracy), 1] },
      axis: { tickCount: 6, format: '.2f' },
    }),
  ];
  return {
    title: {
      text: `Training: ${model}`,
      subtitle: `${steps.toLocaleString('en')} steps. Pale: logged steps. Bold: running mean of ${2 * HALF_WINDOW + 1} of them, and validation.`,
    },
    spacing: 40,
    hconcat: panels.filter((spec) => spec !== undefined),
    config: CONFIG,
  } as PlotSpec;
}

function series(
  history: readonly HistoryPoint[],
  training: 'loss' | 'accuracy',
  validation: 'valLoss' | 'valAccuracy',
): Point[] {
  const pick = (key: keyof HistoryPoint, name: Point['series']): Point[] =>
    history.flatMap((point) => {
      const value = point[key];
      return typeof value === 'number' && Number.isFinite(value) ? [{ step: point.step, value, series: name }] : [];
    });
  return [...thin(withRunningMean(pick(training, 'training'))), ...pick(validation, 'validation')];
}

function withRunningMean(points: readonly Point[]): Point[] {
  return points.map((point, i) => {
    const window = points.slice(Math.max(0, i - HALF_WINDOW), i + HALF_WINDOW + 1);
    return { ...point, mean: window.reduce((sum, { value }) => sum + value, 0) / window.length };
  });
}

/** Every k-th point, and the last. */
function thin(points: readonly Point[]): Point[] {
  const every = Math.max(1, Math.ceil(points.length / MAX_POINTS));
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

/** Where the accuracy axis starts: below everything bold after the first tenth, so that the end can be read. */
function floorOf(points: readonly Point[]): number {
  const start = 0.1 * Math.max(...points.map(({ step }) => step), 0);
  const late = points.filter(({ step }) => step >= start).map(({ value, mean }) => mean ?? value);
  return Math.max(0, Math.floor(20 * Math.min(...late, 0.95) - 0.5) / 20);
}

function panel(values: readonly Point[], y: { title: string; scale: object; axis: object }): object | undefined {
  const present = SERIES.filter(({ name }) => values.some((point) => point.series === name));
  if (present.length === 0) return undefined;
  const line = (name: Point['series'], field: 'value' | 'mean', mark: object): object => ({
    transform: [{ filter: `datum.series === '${name}'` }],
    mark: { type: 'line', ...mark },
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        title: 'Step',
        axis: { tickCount: 6, grid: false },
        scale: { nice: false },
      },
      y: { field, type: 'quantitative', ...y },
      color: {
        field: 'series',
        type: 'nominal',
        scale: { domain: present.map((series) => series.name), range: present.map((series) => series.colour) },
        legend: { symbolOpacity: 1, symbolType: 'circle' },
      },
    },
  });
  const layers = {
    training: [
      line('training', 'value', { strokeWidth: 1, opacity: 0.3, clip: true }),
      line('training', 'mean', { strokeWidth: 2.5, clip: true }),
    ],
    validation: [line('validation', 'value', { strokeWidth: 2, point: { size: 45, filled: true } })],
  };
  return { width: 420, height: 300, data: { values }, layer: present.flatMap(({ name }) => layers[name]) };
}
