import { describe, expect, it } from '@jest/globals';
import { TrainRequest } from '../../contracts/train-register-deploy.ts';
import { datasetNames } from '../../lib/datasets/index.ts';
import { listPresets, loadPreset, resolveTrainInput, shapeNetwork } from '../../lib/ml/index.ts';

const request = (body: object): TrainRequest => TrainRequest.parse(body);

describe('presets', () => {
  it('are networks for their data, named like their file', () => {
    const images = ['mnist-cnn', 'mnist-mlp', 'mnist-softmax'];
    const tables = ['breast-cancer-mlp', 'diabetes-linear', 'digits-mlp', 'iris-softmax', 'wine-softmax'];
    expect(listPresets()).toEqual([...images, ...tables].sort());
    for (const name of images) {
      const { dataset, model } = loadPreset(name);
      expect([dataset, model.name]).toEqual(['mnist', name]);
      expect(shapeNetwork(model, [28, 28, 1], 10).at(-1)?.output).toEqual([10]);
    }
    for (const name of tables) {
      const { dataset, model } = loadPreset(name);
      expect(model.name).toBe(name);
      expect(datasetNames()).toContain(dataset);
    }
  });

  it.each(['mnist', '../presets/mnist-cnn', ''])('refuses the name "%s"', (name) => {
    expect(() => loadPreset(name)).toThrow(expect.objectContaining({ code: 'PRESET_UNKNOWN', field: 'model' }));
  });
});

describe('resolveTrainInput', () => {
  it('takes what the request leaves open from the preset', () => {
    const preset = loadPreset('mnist-cnn');
    const input = resolveTrainInput(request({ model: 'mnist-cnn' }), 'alice');
    expect(input).toMatchObject({ ...preset, registerAs: 'mnist-cnn', seed: 42, rollout: true, requestedBy: 'alice' });
  });

  it('changes only the fields that the request names', () => {
    const preset = loadPreset('mnist-cnn');
    const input = resolveTrainInput(
      request({ model: 'mnist-cnn', registerAs: 'digits', training: { epochs: 1 }, gates: { minAccuracy: 0.5 } }),
      'alice',
    );
    expect(input.training).toEqual({ ...preset.training, epochs: 1 });
    expect(input.gates).toEqual({ ...preset.gates, minAccuracy: 0.5, champion: 'not-worse' });
    expect(input.registerAs).toBe('digits');
  });

  const custom = { name: 'mine', layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }] };
  const optimizer = { type: 'sgd', learningRate: { initial: 0.1 } };

  it('takes a whole network with its training', () => {
    const training = { epochs: 1, batchSize: 64, optimizer };
    const input = resolveTrainInput(request({ model: custom, dataset: 'mnist', training }), 'alice');
    expect(input).toMatchObject({ registerAs: 'mine', training: { checkpointSteps: 100, optimizer: { momentum: 0 } } });
  });

  it.each([
    [{ model: custom, dataset: 'mnist', training: { epochs: 1, batchSize: 64 } }, 'training.optimizer'],
    [{ model: custom, dataset: 'mnist' }, 'training.epochs'],
    [{ model: custom, training: { epochs: 1, batchSize: 64, optimizer } }, 'dataset'],
  ])('names what a custom network lacks: %#', (body, field) => {
    expect(() => resolveTrainInput(request(body), 'alice')).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', field }),
    );
  });
});
