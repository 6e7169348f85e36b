import type { ExtractionCurve } from '../../../contracts/extraction.ts';
import { COLOURS, CONFIG } from './theme.ts';
import type { PlotSpec } from './theme.ts';

export interface ExtractionPlot {
  readonly title: string;
  readonly subtitle: string;
  readonly points: ExtractionCurve['points'];
  readonly threshold: number;
}

const KINDS = [
  { kind: 'probabilities', colour: COLOURS.orange },
  { kind: 'labels', colour: COLOURS.blue },
] as const;

/** Fidelity with its interval against the number of queries (logarithmic), one line a kind of answer, and the threshold. */
export function extractionCurves({ title, subtitle, points, threshold }: ExtractionPlot): PlotSpec {
  const values = points.map(({ answers, queries, fidelity: { value, low, high } }) => ({
    answers,
    queries,
    value,
    low,
    high,
  }));
  const present = KINDS.filter(({ kind }) => values.some(({ answers }) => answers === kind));
  const color = {
    field: 'answers',
    type: 'nominal',
    scale: { domain: present.map(({ kind }) => kind), range: present.map(({ colour }) => colour) },
  };
  const x = {
    field: 'queries',
    type: 'quantitative',
    title: 'Queries (log scale)',
    scale: { type: 'log', nice: false, padding: 16 },
    axis: { format: ',d', values: [...new Set(values.map(({ queries }) => queries))], grid: false },
  };
  const y = {
    type: 'quantitative',
    title: 'Fidelity (share of unseen samples with the same class)',
    scale: { zero: false, padding: 12 },
    axis: { format: '.0%' },
  };
  return {
    title: { text: title, subtitle },
    width: 560,
    height: 340,
    data: { values },
    layer: [
      {
        data: { values: [{ threshold }] },
        mark: { type: 'rule', strokeDash: [4, 4], color: COLOURS.grey },
        encoding: { y: { ...y, field: 'threshold' } },
      },
      {
        mark: { type: 'rule', strokeWidth: 1.5 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
      },
      {
        mark: { type: 'line', strokeWidth: 2, point: { size: 45, filled: true } },
        encoding: { x, y: { ...y, field: 'value' }, color },
      },
    ],
    config: CONFIG,
  } as PlotSpec;
}
