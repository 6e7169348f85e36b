import { describe, expect, it } from '@jest/globals';
import { joinStreams, protectionOf } from '../../lib/scoring/index.ts';
import { pieces } from './support/facts.ts';

const defaults = { onFlag: 'observe', outOfRange: 'mark' } as const;

describe('what a model tells somebody', () => {
  it('is what was set for all, then for each role, of this model alone', () => {
    const rows = [
      { model: 'iris', settings: { decimals: 2, outOfRange: 'refuse' } },
      { model: 'iris', role: 'admin', settings: { decimals: 6 } },
      { model: 'wine', settings: { labelsOnly: true } },
    ] as const;
    const of = (roles: readonly string[]) => protectionOf(defaults, rows, { model: 'iris', roles });
    expect(of(['predictor'])).toEqual({ onFlag: 'observe', outOfRange: 'refuse', decimals: 2 });
    expect(of(['admin', 'predictor'])).toMatchObject({ decimals: 6 });
    expect(protectionOf(defaults, [], { model: 'iris', roles: [] })).toEqual(defaults);
  });
});

describe('joining', () => {
  it('gives the bytes of all sources in order, and tells of each', async () => {
    const done: number[] = [];
    const parts: Uint8Array[] = [];
    for await (const part of joinStreams(
      ['ab', '', 'c'],
      (text) => pieces(text, 1),
      (count) => done.push(count),
    )) {
      parts.push(part);
    }
    expect(Buffer.concat(parts).toString()).toBe('abc');
    expect(done).toEqual([1, 2, 3]);
  });
});
