import type { Colors } from './colors.ts';

/** A grey image: row-major values of 0 (black) to 255. */
export interface GreyImage {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** The 24 greys of the 256-colour palette. */
const FIRST_GREY = 232;
const GREYS = 24;
/** Without colours, a pixel of at least this share of white is drawn. */
const INK = 0.3;
/** By which half of a cell holds ink: none, upper, lower, both. */
const HALF_BLOCKS = [' ', '▀', '▄', '█'] as const;

/**
 * Draws an image with half-blocks, two pixels a character cell: `columns` wide and half as many lines high for a
 * square. Greys where colours are allowed, else black and white.
 */
export function renderImage(image: GreyImage, columns: number, colors: Colors): string[] {
  const rows = Math.round((columns * image.height) / image.width / 2) * 2;
  const small = resample(image, columns, rows);
  return Array.from({ length: rows / 2 }, (_, line) => {
    const cells = Array.from({ length: columns }, (__, x) => {
      const upper = small[2 * line * columns + x] ?? 0;
      const lower = small[(2 * line + 1) * columns + x] ?? 0;
      return colors.isColorSupported ? greyCell(upper, lower) : inkCell(upper, lower);
    });
    return colors.isColorSupported ? `${cells.join('')}\x1b[0m` : cells.join('');
  });
}

/** Shares of white (0..1) of a smaller image, each the mean of the area it covers. */
function resample({ width, height, data }: GreyImage, columns: number, rows: number): number[] {
  return Array.from({ length: columns * rows }, (_, cell) => {
    const [left, right] = span(cell % columns, columns, width);
    const [top, bottom] = span(Math.floor(cell / columns), rows, height);
    let sum = 0;
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) sum += data[y * width + x] ?? 0;
    }
    return sum / ((right - left) * (bottom - top)) / 255;
  });
}

function span(index: number, parts: number, length: number): [number, number] {
  const from = Math.floor((index * length) / parts);
  return [from, Math.max(from + 1, Math.floor(((index + 1) * length) / parts))];
}

function greyCell(upper: number, lower: number): string {
  return `\x1b[38;5;${String(grey(upper))};48;5;${String(grey(lower))}m▀`;
}

function grey(share: number): number {
  return FIRST_GREY + Math.round(share * (GREYS - 1));
}

function inkCell(upper: number, lower: number): string {
  return HALF_BLOCKS[(upper >= INK ? 1 : 0) + (lower >= INK ? 2 : 0)] ?? ' ';
}
