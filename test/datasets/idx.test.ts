import { describe, expect, it } from '@jest/globals';
import { parseIdx } from '../../lib/datasets/idx.ts';

describe('parseIdx', () => {
  it('reads shape and values', () => {
    const bytes = Buffer.from('00000802' + '00000002' + '00000003' + '010203040506', 'hex');
    expect(parseIdx(bytes, 'file')).toEqual({ shape: [2, 3], data: Buffer.of(1, 2, 3, 4, 5, 6) });
  });

  it.each([
    ['an empty file', ''],
    ['another magic number', '01000801' + '00000001' + '00'],
    ['another type of value', '00000d01' + '00000001' + '00000000'],
    ['no dimension', '00000800'],
    ['a header cut short', '00000802' + '00000002'],
    ['too few values', '00000801' + '00000003' + '0102'],
    ['too many values', '00000801' + '00000001' + '0102'],
  ])('refuses %s', (_, hex) => {
    expect(() => parseIdx(Buffer.from(hex, 'hex'), 'file')).toThrow(
      expect.objectContaining({ code: 'DATASET_CARD_INVALID', field: 'distribution' }),
    );
  });
});
