import { describe, expect, it } from '@jest/globals';
import { topClasses } from '../../../../api/serving/codec/index.ts';

describe('the best classes', () => {
  it('of each row come first, with index and label', () => {
    const tensor = { type: 'float32', data: Float32Array.of(0.25, 0.5, 0.25, 1, 0, 0), dims: [2, 3] } as const;
    expect(topClasses(tensor, 2, ['a', 'b', 'c'])).toEqual({
      type: 'string',
      data: ['0.5:1:b', '0.25:0:a', '1:0:a', '0:1:b'],
      dims: [2, 2],
    });
    expect(topClasses(tensor, 9, ['one label']).data).toEqual(['0.5:1', '0.25:0', '0.25:2', '1:0', '0:1', '0:2']);
  });

  it('never are what is no number', () => {
    const tensor = { type: 'float64', data: Float64Array.of(Number.NaN, 1), dims: [2] } as const;
    expect(topClasses(tensor, 1).data).toEqual(['1:1']);
  });
});
