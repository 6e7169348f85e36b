import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stratifiedSplit } from '../../lib/datasets/split.ts';

const CLASSES = 4;
/** Labels in any order, each class 20 to 60 times, so that every share between 0.1 and 0.9 leaves some in both parts. */
const anyLabels = fc
  .tuple(fc.array(fc.integer({ min: 20, max: 60 }), { minLength: CLASSES, maxLength: CLASSES }), fc.nat())
  .map(([sizes, seed]) => {
    const labels = sizes.flatMap((size, label) => Array.from({ length: size }, () => label));
    const order = labels.map((label, i) => ({ label, key: Math.imul(i + 1, seed | 1) >>> 0 }));
    return Int32Array.from(
      order.sort((a, b) => a.key - b.key),
      ({ label }) => label,
    );
  });
const anySplit = fc.record({
  labels: anyLabels,
  classes: fc.constant(CLASSES),
  validationShare: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
  seed: fc.nat(),
});

function countOf(labels: Int32Array, indices: Int32Array, label: number): number {
  return indices.filter((index) => labels[index] === label).length;
}

describe('stratifiedSplit', () => {
  it('puts every sample into exactly one part, in order', () => {
    fc.assert(
      fc.property(anySplit, (o) => {
        const { train, validation } = stratifiedSplit(o);
        expect([...train, ...validation].sort((a, b) => a - b)).toEqual([...o.labels.keys()]);
        for (const part of [train, validation]) expect([...part]).toEqual([...part].sort((a, b) => a - b));
      }),
    );
  });

  it('takes the share of the whole, and of each class within one sample', () => {
    fc.assert(
      fc.property(anySplit, (o) => {
        const { validation } = stratifiedSplit(o);
        expect(validation).toHaveLength(Math.round(o.labels.length * o.validationShare));
        for (let label = 0; label < CLASSES; label++) {
          const size = o.labels.filter((value) => value === label).length;
          expect(Math.abs(countOf(o.labels, validation, label) - size * o.validationShare)).toBeLessThan(1);
        }
      }),
    );
  });

  it('depends on the seed alone', () => {
    fc.assert(
      fc.property(anySplit, (o) => {
        expect(stratifiedSplit(o)).toEqual(stratifiedSplit(o));
        expect(stratifiedSplit({ ...o, seed: o.seed + 1 }).validation).not.toEqual(stratifiedSplit(o).validation);
      }),
    );
  });

  it('draws every sample of a class about equally often', () => {
    const labels = new Int32Array(20);
    const drawn = new Float64Array(20);
    for (let seed = 0; seed < 2000; seed++) {
      for (const index of stratifiedSplit({ labels, classes: 1, validationShare: 0.25, seed }).validation) {
        (drawn[index] as number) += 1;
      }
    }
    // 500 expected; five standard deviations of the hypergeometric count are about 97.
    for (const count of drawn) expect(Math.abs(count - 500)).toBeLessThan(97);
  });

  it.each([
    ['a class would be absent from the validation split', [0, 0, 0, 0, 0, 0, 0, 0, 1], 0.1, 'validationShare'],
    ['a class would be absent from the training split', [0, 0, 0, 0, 0, 0, 0, 0, 1], 0.95, 'validationShare'],
    ['a label is no class', [0, 1, 2, 0, 1], 0.4, 'labels'],
  ])('refuses where %s', (_, labels, validationShare, field) => {
    expect(() => stratifiedSplit({ labels: Int32Array.from(labels), classes: 2, validationShare, seed: 1 })).toThrow(
      expect.objectContaining({ code: 'DATASET_SPLIT_INVALID', field }),
    );
  });
});
