import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import { FONT } from './theme.ts';

const require = createRequire(import.meta.url);

/** The fonts come with the platform: a server need not have any, and every machine draws the same text. */
const FONT_FILES = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'].map((file) =>
  require.resolve(`@expo-google-fonts/inter/${file}`),
);

/** A PNG with two device pixels for each SVG pixel. Pictures inside are data URLs; nothing is fetched. */
export function rasterise(svg: string): Uint8Array {
  const image = new Resvg(svg, {
    font: { loadSystemFonts: false, fontFiles: FONT_FILES, defaultFontFamily: FONT },
    fitTo: { mode: 'zoom', value: 2 },
    // Enlarged pictures keep their pixels: they are what the model sees.
    imageRendering: 1,
  });
  return image.render().asPng();
}
