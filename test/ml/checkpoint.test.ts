import { describe, expect, it } from '@jest/globals';
import { ModelConfig } from '../../contracts/model-config.ts';
import { initialParameters, networkParameters, parameterCount } from '../../lib/ml/parameters.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../lib/ml/training/checkpoint.ts';
import { shapeNetwork } from '../../lib/ml/index.ts';

const model = ModelConfig.parse({
  name: 'test',
  layers: [
    { type: 'conv2d', filters: 3, kernelSize: 3, activation: 'relu' },
    { type: 'flatten' },
    { type: 'dense', units: 2 },
  ],
});
const parameters = networkParameters(shapeNetwork(model, [4, 4, 2], 2));
const identity = { digest: 'd', deviceClass: 'cpu-avx2', replicas: 2, threads: 1 };
const position = {
  step: 7,
  seconds: 1.5,
  resumes: 0,
  history: { window: { loss: 0.1, right: 3, samples: 8, seconds: 2 }, lines: '{}\n' },
};
// Values that a detour over text or float64 arithmetic would change.
const state = {
  weights: initialParameters(parameters, 3),
  accumulators: {
    mean: initialParameters(parameters, 4).map((x) => x * 1e-30),
    variance: initialParameters(parameters, 5).map((x) => x * x),
  },
};
const bytes = encodeCheckpoint(parameters, state, identity, position);

describe('parameters', () => {
  it('start within the bound of their layer, biases at 0', () => {
    expect(parameters.map(({ name, shape }) => [name, shape])).toEqual([
      ['layers.0.kernel', [3, 3, 2, 3]],
      ['layers.0.bias', [3]],
      ['layers.2.kernel', [12, 2]],
      ['layers.2.bias', [2]],
    ]);
    expect(parameters.map(({ limit }) => limit)).toEqual([Math.sqrt(6 / 18), 0, Math.sqrt(6 / 14), 0]);
    for (const { offset, size, limit } of parameters) {
      const values = state.weights.subarray(offset, offset + size);
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(limit);
    }
    expect(state.weights).toHaveLength(parameterCount(parameters));
  });
});

describe('checkpoints', () => {
  it('give back weights, accumulators and position bit for bit', () => {
    expect(decodeCheckpoint(bytes, parameters, ['mean', 'variance'], identity)).toEqual({ state, position });
  });

  it.each(['digest', 'deviceClass', 'replicas', 'threads'] as const)(
    'are refused by a training of another %s',
    (key) => {
      const other = { ...identity, [key]: typeof identity[key] === 'number' ? 9 : 'other' };
      expect(() => decodeCheckpoint(bytes, parameters, ['mean', 'variance'], other)).toThrow(
        expect.objectContaining({ code: 'CHECKPOINT_INCOMPATIBLE', field: key }),
      );
    },
  );

  it('are refused without an accumulator that the optimiser needs', () => {
    expect(() => decodeCheckpoint(bytes, parameters, ['momentum'], identity)).toThrow(
      expect.objectContaining({ code: 'WEIGHTS_INVALID', field: 'optimizer.momentum.layers.0.kernel' }),
    );
  });
});
