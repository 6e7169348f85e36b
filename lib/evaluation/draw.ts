import { runChild } from '../heavy/index.ts';

/**
 * Draws an SVG as PNG, in a child process: the renderer is native code.
 *
 * @throws HeavyError
 */
export function drawPng(svg: string, options: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array> {
  return runChild<Uint8Array>({
    entry: new URL('draw-child.ts', import.meta.url),
    input: svg,
    signal: options.signal,
  });
}
