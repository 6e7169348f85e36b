import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import { View, Warn, parse, textMetrics } from 'vega';
import { compile } from 'vega-lite';
import { FONT } from './theme.ts';
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

const require = createRequire(import.meta.url);

/** The fonts come with the platform: a server need not have any, and every machine draws the same text. */
const FONT_FILES = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'].map((file) =>
  require.resolve(`@expo-google-fonts/inter/${file}`),
);

/** Mean advance of Inter in em. Without a canvas Vega assumes 0.8, which cuts legends short and widens the picture. */
const MEAN_ADVANCE = 0.56;
textMetrics.width = ({ fontSize = 11 }, text) => String(text).length * fontSize * MEAN_ADVANCE;

/** Draws a Vega-Lite specification. Pictures inside are data URLs; nothing is fetched. */
export async function render(spec: PlotSpec): Promise<Picture> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none', logLevel: Warn });
  const svg = await view.toSVG();
  view.finalize();
  const image = new Resvg(svg, {
    font: { loadSystemFonts: false, fontFiles: FONT_FILES, defaultFontFamily: FONT },
    fitTo: { mode: 'zoom', value: 2 },
    // Enlarged pictures keep their pixels: they are what the model sees.
    imageRendering: 1,
  });
  return { svg, png: image.render().asPng() };
}
