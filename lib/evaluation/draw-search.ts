import { runChild } from '../heavy/index.ts';
import type { Picture } from './plots/index.ts';
import type { SearchCurves } from './plots/search-curves.ts';

/**
 * Draws the learning curves of a search, in a child process: the renderer is native code.
 *
 * @throws HeavyError
 */
export function drawSearch(curves: SearchCurves, options: { readonly signal?: AbortSignal } = {}): Promise<Picture> {
  return runChild<Picture>({
    entry: new URL('draw-search-child.ts', import.meta.url),
    input: curves,
    signal: options.signal,
  });
}
