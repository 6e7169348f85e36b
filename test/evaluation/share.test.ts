import { expect, it } from '@jest/globals';
import { share } from '../../lib/evaluation/index.ts';

it('gives a share an interval about as wide as its standard error says', () => {
  const hits = Uint8Array.from({ length: 1000 }, (_, index) => Number(index % 5 > 0));
  const { value, low, high } = share(hits, { seed: 1 });
  const error = 1.96 * Math.sqrt((0.8 * 0.2) / 1000);
  expect(value).toBeCloseTo(0.8, 12);
  expect(low).toBeCloseTo(0.8 - error, 2);
  expect(high).toBeCloseTo(0.8 + error, 2);
  expect(share(hits, { seed: 1 })).toEqual({ value, low, high });
});
