import { runChild } from '../heavy/index.ts';
import type { ExtractionPlot } from './plots/extraction-curves.ts';
import type { Picture } from './plots/index.ts';

/**
 * Draws the curve of an extraction, in a child process: the renderer is native code.
 *
 * @throws HeavyError
 */
export function drawExtraction(
  plot: ExtractionPlot,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Picture> {
  return runChild<Picture>({
    entry: new URL('draw-extraction-child.ts', import.meta.url),
    input: plot,
    signal: options.signal,
  });
}
