import { describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import { renderImage } from '../../cli/render/image.ts';
import { renderPredictions } from '../../cli/render/prediction-grid.ts';
import { recordedIo } from './support/terminal.ts';

const plain = picocolors.createColors(false);
const diagonal = { width: 4, height: 4, data: [255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255] };

describe('renderImage', () => {
  it('draws two pixels in each character', () => {
    expect(renderImage(diagonal, 4, plain)).toEqual(['▀▄  ', '  ▀▄']);
  });

  it('averages areas when it makes an image smaller', () => {
    expect(renderImage(diagonal, 2, plain)).toEqual(['▀▄']);
    const colored = renderImage(diagonal, 2, picocolors.createColors(true));
    expect(colored).toEqual(['\x1b[38;5;244;48;5;232m▀\x1b[38;5;232;48;5;244m▀\x1b[0m']);
  });
});

describe('renderPredictions', () => {
  const image = { width: 28, height: 28, data: new Uint8Array(28 * 28).fill(255) };
  const right = { image, predicted: '7', truth: '7', confidence: 0.99987 };
  const wrong = { image, predicted: '3', truth: '5', confidence: 0.5 };

  it('fits ten images into a terminal of 80 columns', () => {
    const lines = renderPredictions(Array<typeof right>(10).fill(right), recordedIo()).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.length).toBeLessThanOrEqual(24);
  });

  it('says what is right, what is wrong and how sure the model is', () => {
    const text = renderPredictions([right, wrong], recordedIo());
    expect(text).toContain('predicted 7 ✓');
    expect(text).toContain('predicted 3 ✗');
    expect(text).toContain('true      5');
    expect(text).toContain('conf.  99.99 %');
    expect(stripVTControlCharacters(text)).toBe(text);
  });
});
