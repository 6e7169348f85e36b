import Table from 'cli-table3';
import type { Io } from '../io.ts';
import { colorsOf } from './colors.ts';
import { renderImage } from './image.ts';
import type { GreyImage } from './image.ts';

export interface ShownPrediction {
  readonly image: GreyImage;
  readonly predicted: string;
  readonly truth: string;
  /** Probability of `predicted`, 0..1. */
  readonly confidence: number;
}

const IMAGE_COLUMNS = 14;

/** A table of images with what was predicted, what is true and how sure the model is; as many a row as fit. */
export function renderPredictions(predictions: readonly ShownPrediction[], io: Io): string {
  const perRow = Math.max(1, Math.floor((io.columns() - 1) / (IMAGE_COLUMNS + 1)));
  const table = new Table({ style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] } });
  for (let from = 0; from < predictions.length; from += perRow) {
    const row = predictions.slice(from, from + perRow).map((prediction) => cell(prediction, io));
    while (row.length < Math.min(perRow, predictions.length)) row.push('');
    table.push(row);
  }
  return table.toString();
}

function cell({ image, predicted, truth, confidence }: ShownPrediction, io: Io): string {
  const colors = colorsOf(io);
  const right = predicted === truth;
  const mark = right ? colors.green('✓') : colors.red('✗');
  return [
    ...renderImage(image, IMAGE_COLUMNS, colors),
    `predicted ${predicted} ${mark}`,
    `true      ${truth}`,
    `conf. ${(confidence * 100).toFixed(2).padStart(6)} %`,
  ].join('\n');
}
