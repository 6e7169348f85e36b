import { View, Warn, parse, textMetrics } from 'vega';
import { compile } from 'vega-lite';
import { rasterise } from './rasterise.ts';
import type { PlotSpec } from './theme.ts';

// Exported by vega (from vega-scenegraph), yet absent from its types.
declare module 'vega' {
  export const textMetrics: { width: (item: { fontSize?: number }, text: unknown) => number };
}

export interface Picture {
  readonly svg: string;
  /** Two device pixels for each SVG pixel. */
  readonly png: Uint8Array;
}

/** Mean advance of Inter in em. Without a canvas Vega assumes 0.8, which cuts legends short and widens the picture. */
const MEAN_ADVANCE = 0.56;
textMetrics.width = ({ fontSize = 11 }, text) => String(text).length * fontSize * MEAN_ADVANCE;

/** Draws a Vega-Lite specification. Pictures inside are data URLs; nothing is fetched. */
export async function render(spec: PlotSpec): Promise<Picture> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none', logLevel: Warn });
  const svg = await view.toSVG();
  view.finalize();
  return { svg, png: rasterise(svg) };
}
