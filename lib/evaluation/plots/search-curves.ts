import type { SearchObjective } from '../../../contracts/search.ts';
import { COLOURS, CONFIG } from './theme.ts';
import type { PlotSpec } from './theme.ts';

/** Loss and accuracy of a classifier, RMSE and R² of a regression. */
export interface TrialPoint {
  readonly epoch: number;
  readonly loss?: number | undefined;
  readonly accuracy?: number | undefined;
  readonly rmse?: number | undefined;
  readonly r2?: number | undefined;
}

/** Validation of one trial after each of its epochs. */
export interface TrialCurve {
  readonly trial: number;
  readonly state: string;
  readonly points: readonly TrialPoint[];
}

export interface SearchCurves {
  readonly title: string;
  /** What the trials were compared by. */
  readonly objective: SearchObjective;
  /** Epochs of the rungs. */
  readonly rungs: readonly number[];
  readonly trials: readonly TrialCurve[];
}

/** Colour by what became of a trial; in this order they lie over each other. */
const STATES = [
  { state: 'failed', colour: '#CC79A7' },
  { state: 'stopped', colour: '#9CA3AF' },
  { state: 'promoted', colour: COLOURS.blue },
  { state: 'won', colour: COLOURS.orange },
] as const;

const LOGARITHMIC = { scale: { type: 'log', nice: false, padding: 12 }, axis: { format: '~g', tickCount: 6 } };
const LINEAR = { scale: { type: 'linear', zero: false, padding: 12 }, axis: { format: '.3~f', tickCount: 6 } };
const CLASSES = [
  { field: 'loss', title: 'Validation loss (cross-entropy in nats, log scale)', ...LOGARITHMIC },
  { field: 'accuracy', title: 'Validation accuracy', ...LINEAR },
];
const QUANTITY = [
  { field: 'rmse', title: 'Validation RMSE (unit of the target, log scale)', ...LOGARITHMIC },
  { field: 'r2', title: 'Validation R²', ...LINEAR },
];

/**
 * Loss (logarithmic) and accuracy, or RMSE (logarithmic) and R², on the validation split against the epoch, one line a trial, the rungs as dashed
 * lines. The winner is bold, and each line ends with the number of its trial.
 */
export function searchCurves({ title, objective, rungs, trials }: SearchCurves): PlotSpec {
  const values = trials.flatMap(({ trial, state, points }) =>
    points.map((point, index) => ({
      trial,
      state,
      ...point,
      ...(index === points.length - 1 && { end: String(trial) }),
    })),
  );
  const measured = trials.filter(({ points }) => points.length > 0).length;
  return {
    title: {
      text: title,
      subtitle: `Compared by ${objective === 'rmse' ? 'RMSE' : objective}. ${measured} of ${trials.length} trials were measured. Dashed: rungs at epochs ${rungs.join(', ')}.`,
    },
    spacing: 40,
    hconcat: (objective === 'rmse' ? QUANTITY : CLASSES).map((y) => panel(values, rungs, y)),
    config: CONFIG,
  } as PlotSpec;
}

function panel(values: readonly { readonly state: string }[], rungs: readonly number[], y: object): object {
  const present = STATES.filter(({ state }) => values.some((value) => value.state === state));
  const epochs = { type: 'quantitative', title: 'Epoch', axis: { tickMinStep: 1, format: 'd', grid: false } };
  const x = { field: 'epoch', ...epochs, scale: { nice: false, padding: 16, zero: true } };
  const shared = { x, y: { type: 'quantitative', ...y }, detail: { field: 'trial' } };
  const color = {
    field: 'state',
    type: 'nominal',
    scale: { domain: present.map(({ state }) => state), range: present.map(({ colour }) => colour) },
    legend: { symbolOpacity: 1, symbolType: 'circle' },
  };
  const lines = present.map(({ state }) => ({
    transform: [{ filter: `datum.state === '${state}'` }],
    mark: { type: 'line', strokeWidth: state === 'won' ? 3 : 1.5, point: { size: 30, filled: true } },
    encoding: { ...shared, color },
  }));
  return {
    width: 420,
    height: 300,
    data: { values },
    layer: [
      {
        data: { values: rungs.map((epoch) => ({ epoch })) },
        mark: { type: 'rule', strokeDash: [4, 4], color: '#D1D5DB' },
        encoding: { x },
      },
      ...lines,
      {
        transform: [{ filter: 'isValid(datum.end)' }],
        mark: { type: 'text', align: 'left', dx: 6, fontSize: 10, color: COLOURS.grey },
        encoding: { ...shared, text: { field: 'end', type: 'nominal' } },
      },
    ],
  };
}
