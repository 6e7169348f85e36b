import type { Config, TopLevelSpec } from 'vega-lite';

export const FONT = 'Inter';

/** Colour-blind safe (Okabe and Ito, 2008). */
export const COLOURS = { blue: '#0072B2', orange: '#D55E00', sky: '#9CC9E3', grey: '#6B7280' } as const;

export const CONFIG: Config = {
  background: 'white',
  font: FONT,
  padding: 16,
  view: { stroke: null },
  title: {
    anchor: 'start',
    fontSize: 16,
    fontWeight: 600,
    subtitleFontSize: 12,
    subtitleColor: COLOURS.grey,
    offset: 14,
  },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 400,
    titlePadding: 8,
    gridColor: '#E5E7EB',
    domainColor: '#9CA3AF',
    tickColor: '#9CA3AF',
  },
  legend: { labelFontSize: 11, orient: 'top', title: null, symbolStrokeWidth: 2.5 },
};

export type PlotSpec = TopLevelSpec;

/** A proportion as a percentage with `digits` decimals. */
export function percent(value: number, digits = 2): string {
  return `${(100 * value).toFixed(digits)} %`;
}

/** A point estimate with its interval, both formatted alike. */
export function withInterval(
  { value, low, high }: { value: number; low: number; high: number },
  format: (n: number) => string,
): string {
  return `${format(value)} (95 % interval ${format(low)} to ${format(high)})`;
}
