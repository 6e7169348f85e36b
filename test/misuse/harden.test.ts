import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeHardening, harden, rounded } from '../../lib/misuse/index.ts';

const PROBABILITIES = Float64Array.of(0.5, 0.3, 0.15, 0.05, 0.1, 0.2, 0.6, 0.1);

describe('harden', () => {
  it.each([
    ['labels alone', { labelsOnly: true }, [1, 0, 0, 0, 0, 0, 1, 0]],
    ['the first two classes', { topK: 2 }, [0.5, 0.3, 0, 0, 0, 0.2, 0.6, 0]],
    ['one decimal', { decimals: 1 }, [0.5, 0.3, 0.2, 0.1, 0.1, 0.2, 0.6, 0.1]],
    ['labels before everything', { labelsOnly: true, topK: 3, temperature: 9 }, [1, 0, 0, 0, 0, 0, 1, 0]],
    ['nothing to do', {}, [...PROBABILITIES]],
  ])('gives %s', (_, how, expected) => {
    const result = harden(PROBABILITIES, 4, how);
    expect([...result].map((value) => rounded(value, 6))).toEqual(expected);
  });

  it('flattens by temperature, and keeps the order', () => {
    const [first = 0, second = 0, third = 0, last = 0] = harden(PROBABILITIES, 4, { temperature: 2 });
    const powers = [0.5, 0.3, 0.15, 0.05].map(Math.sqrt);
    const sum = powers.reduce((total, power) => total + power, 0);
    expect([first, second, third, last].map((value) => value * sum)).toEqual(
      powers.map((power) => expect.closeTo(power, 6)),
    );
  });

  it('divides scores by the temperature, and makes a distribution of them only where classes are left out', () => {
    const scores = Float32Array.of(2, -4, 1);
    expect([...harden(scores, 3, { temperature: 2 })]).toEqual([1, -2, 0.5]);
    expect([...harden(scores, 3, { labelsOnly: true })]).toEqual([1, 0, 0]);
    const [first = 0, second = 1, third = 0] = harden(scores, 3, { topK: 2 });
    expect([second, first > third, first + third < 1]).toEqual([0, true, true]);
  });

  it('rounds a quantity and nothing else', () => {
    expect([...harden(Float64Array.of(3.14159), 1, { labelsOnly: true, topK: 1, decimals: 2 })]).toEqual([3.14]);
  });

  it('never changes which class comes first, but by rounding to a tie', () => {
    const row = fc.array(fc.float({ min: Math.fround(-20), max: 20, noNaN: true }), { minLength: 2, maxLength: 8 });
    const how = fc.record(
      {
        labelsOnly: fc.boolean(),
        topK: fc.integer({ min: 1, max: 8 }),
        temperature: fc.double({ min: 0.1, max: 50, noNaN: true }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(row, how, (values, hardening) => {
        const before = Float64Array.from(values);
        const after = harden(before, values.length, hardening);
        const winner = before.indexOf(Math.max(...before));
        expect(after[winner]).toBe(Math.max(...after));
      }),
    );
  });
});

it('says what was done', () => {
  expect(describeHardening({})).toBe('');
  expect(describeHardening({ topK: 3, decimals: 2, temperature: 2 })).toBe('temperature=2 top-k=3 decimals=2');
  expect(describeHardening({ labelsOnly: true, topK: 3, temperature: 1 })).toBe('labels-only');
});
