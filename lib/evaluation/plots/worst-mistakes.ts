import { encode } from 'fast-png';
import type { ClassificationReport } from '../report.ts';
import { CONFIG, percent } from './theme.ts';
import type { PlotSpec } from './theme.ts';

const COLUMNS = 6;
const CELL = { width: 120, height: 140, image: 92 };

/** Raw images, row-major [n, height, width, channels] with 1 or 3 channels. */
export interface ImageSet {
  readonly data: Uint8Array | Float32Array;
  readonly shape: readonly number[];
}

/** True for samples that can be shown as pictures. */
export function isImageShape(shape: readonly number[]): boolean {
  return shape.length === 3 && (shape[2] === 1 || shape[2] === 3);
}

/** The wrong predictions of the highest confidence as a grid of pictures with what is true and what was predicted. */
export function worstMistakes(report: ClassificationReport, images: ImageSet): PlotSpec {
  const mistakes = report.worstMistakes;
  const rows = Math.max(1, Math.ceil(mistakes.length / COLUMNS));
  const values = mistakes.map(({ sample, label, predicted, confidence }, i) => ({
    x: ((i % COLUMNS) + 0.5) * CELL.width,
    y: Math.floor(i / COLUMNS) * CELL.height + CELL.image / 2,
    url: pictureUrl(images, sample),
    caption: `true ${label}, predicted ${predicted}`,
    confidence: `${percent(confidence, 1)}, #${sample}`,
  }));
  const x = { field: 'x', type: 'quantitative', scale: { domain: [0, COLUMNS * CELL.width] }, axis: null };
  const y = { field: 'y', type: 'quantitative', scale: { domain: [0, rows * CELL.height], reverse: true }, axis: null };
  const text = (field: string, dy: number, color: string, fontWeight: number): object => ({
    mark: { type: 'text', dy, color, fontSize: 11, fontWeight },
    encoding: { x, y, text: { field, type: 'nominal' } },
  });
  return {
    title: {
      text: `Worst mistakes: ${report.model} on ${report.dataset}`,
      subtitle:
        mistakes.length === 0
          ? 'No test sample is classified wrongly'
          : `${mistakes.length} wrong test predictions of the highest confidence (confidence, index in the test set)`,
    },
    width: COLUMNS * CELL.width,
    height: rows * CELL.height,
    data: { values },
    layer: [
      {
        mark: { type: 'image', width: CELL.image, height: CELL.image, smooth: false },
        encoding: { x, y, url: { field: 'url', type: 'nominal' } },
      },
      text('caption', CELL.image / 2 + 11, '#111827', 600),
      text('confidence', CELL.image / 2 + 26, '#6B7280', 400),
    ],
    config: CONFIG,
  } as PlotSpec;
}

function pictureUrl({ data, shape }: ImageSet, sample: number): string {
  const [height = 1, width = 1, channels = 1] = shape;
  const size = height * width * channels;
  const pixels = data.subarray(sample * size, (sample + 1) * size);
  const png = encode({ width, height, channels, data: toBytes(pixels) });
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}

/** Bytes as they are; floats stretched so that the picture's own range fills 0..255. */
function toBytes(pixels: Uint8Array | Float32Array): Uint8Array {
  if (pixels instanceof Uint8Array) return pixels;
  const low = pixels.reduce((a, b) => Math.min(a, b), Infinity);
  const high = pixels.reduce((a, b) => Math.max(a, b), -Infinity);
  const factor = high > low ? 255 / (high - low) : 0;
  return Uint8Array.from(pixels, (value) => Math.round((value - low) * factor));
}
