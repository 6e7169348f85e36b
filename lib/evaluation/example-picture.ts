import { encode } from 'fast-png';
import type { ValueRange } from '../adversary/index.ts';
import { COLOURS, FONT } from './plots/theme.ts';

/** One adversarial example; samples are raw, [height, width, channels]. */
export interface ExampleRow {
  /** E.g. `version 3, pgd-20 at ε = 0.2`. */
  readonly title: string;
  readonly original: Float32Array;
  readonly adversarial: Float32Array;
  readonly epsilon: number;
  readonly truth: string;
  /** What the model says of the original and of the adversarial example. */
  readonly before: string;
  readonly after: string;
}

export interface PictureOptions {
  readonly title: string;
  readonly shape: readonly number[];
  readonly range: ValueRange;
  readonly rows: readonly ExampleRow[];
}

const SIDE = 168;
const GAP = 28;
const MARGIN = 20;
const ROW = { title: 30, caption: 44 };
const HEAD = 34;

/** True for samples that can be drawn. */
export function isPicture(shape: readonly number[]): boolean {
  return shape.length === 3 && (shape[2] === 1 || shape[2] === 3);
}

/**
 * Original, perturbation and adversarial example side by side, with what the model says of either; one row an example.
 * The perturbation is drawn with its sign: orange raises a value, blue lowers it, full colour is ε.
 */
export function examplePicture({ title, shape, range, rows }: PictureOptions): string {
  const rowHeight = ROW.title + SIDE + ROW.caption;
  const width = 2 * MARGIN + 3 * SIDE + 2 * GAP;
  const height = HEAD + rows.length * rowHeight + MARGIN;
  const drawn = rows.map((row, index) => drawRow(row, { shape, range, y: HEAD + MARGIN / 2 + index * rowHeight }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="${FONT}">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(title, MARGIN, 28, { size: 16, bold: true }),
    ...drawn,
    '</svg>',
  ].join('\n');
}

interface Place {
  readonly shape: readonly number[];
  readonly range: ValueRange;
  readonly y: number;
}

function drawRow(row: ExampleRow, { shape, range, y }: Place): string {
  const right = row.after === row.truth;
  const panels = [
    {
      url: picture(row.original, shape, range),
      caption: 'original',
      said: row.before,
      right: row.before === row.truth,
    },
    { url: perturbation(row, shape, range), caption: `perturbation, |δ| ≤ ${row.epsilon}`, said: undefined },
    { url: picture(row.adversarial, shape, range), caption: 'adversarial', said: row.after, right },
  ];
  return [
    text(`${row.title}: true ${row.truth}`, MARGIN, y + 18, { size: 12, colour: COLOURS.grey }),
    ...panels.flatMap(({ url, caption, said, right: correct }, column) => {
      const x = MARGIN + column * (SIDE + GAP);
      const top = y + ROW.title;
      return [
        `<image x="${x}" y="${top}" width="${SIDE}" height="${SIDE}" href="${url}"/>`,
        `<rect x="${x}" y="${top}" width="${SIDE}" height="${SIDE}" fill="none" stroke="#D1D5DB"/>`,
        text(caption, x, top + SIDE + 16, { size: 12, bold: true }),
        ...(said === undefined
          ? []
          : [
              text(`predicted ${said}`, x, top + SIDE + 32, {
                size: 12,
                colour: correct ? COLOURS.blue : COLOURS.orange,
              }),
            ]),
      ];
    }),
  ].join('\n');
}

function text(
  content: string,
  x: number,
  y: number,
  { size, bold = false, colour = '#111827' }: { size: number; bold?: boolean; colour?: string },
): string {
  const weight = bold ? ' font-weight="600"' : '';
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${colour}"${weight}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function picture(pixels: Float32Array, shape: readonly number[], { low, high }: ValueRange): string {
  const [height = 1, width = 1, channels = 1] = shape;
  const data = Uint8Array.from(pixels, (value) => Math.round((255 * (value - low)) / (high - low)));
  return dataUrl({ width, height, channels, data });
}

const UP = [0xd5, 0x5e, 0x00] as const;
const DOWN = [0x00, 0x72, 0xb2] as const;

/** Of several channels the mean change is drawn. */
function perturbation(row: ExampleRow, shape: readonly number[], { low, high }: ValueRange): string {
  const [height = 1, width = 1, channels = 1] = shape;
  const radius = row.epsilon * (high - low);
  const data = new Uint8Array(height * width * 3);
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    let change = 0;
    for (let channel = 0; channel < channels; channel += 1) {
      const at = pixel * channels + channel;
      change += ((row.adversarial[at] ?? 0) - (row.original[at] ?? 0)) / channels;
    }
    const strength = Math.min(1, Math.abs(change) / radius);
    const colour = change > 0 ? UP : DOWN;
    for (const [index, value] of colour.entries()) data[3 * pixel + index] = Math.round(255 + strength * (value - 255));
  }
  return dataUrl({ width, height, channels: 3, data });
}

function dataUrl(image: { width: number; height: number; channels: number; data: Uint8Array }): string {
  return `data:image/png;base64,${Buffer.from(encode(image)).toString('base64')}`;
}
