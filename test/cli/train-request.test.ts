import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTrainRequest } from '../../cli/actions/train-request.ts';
import type { PresetTraining } from '../../cli/actions/train-request.ts';

const optimizer = { type: 'adam', learningRate: { initial: 0.001 } };
const preset: PresetTraining = () => Promise.resolve({ epochs: 3, batchSize: 128, optimizer });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saip-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('buildTrainRequest', () => {
  it('sends a preset by its name and leaves every default to the server', async () => {
    expect(await buildTrainRequest('mnist-cnn', {}, preset)).toEqual({ model: 'mnist-cnn' });
  });

  it('puts options on top and --set last', async () => {
    const options = {
      seed: 7,
      epochs: 2,
      registerAs: 'digits',
      approval: true,
      rollout: false,
      set: ['training.epochs=4', 'gates.minAccuracy=0.98'],
    };
    expect(await buildTrainRequest('mnist-cnn', options, preset)).toEqual({
      model: 'mnist-cnn',
      seed: 7,
      training: { epochs: 4 },
      registerAs: 'digits',
      approval: { required: true },
      rollout: false,
      gates: { minAccuracy: 0.98 },
    });
  });

  it('starts a change inside the optimizer from the preset', async () => {
    const read = jest.fn(preset);
    const request = await buildTrainRequest('p', { set: ['training.optimizer.learningRate.initial=0.01'] }, read);
    expect(read).toHaveBeenCalledWith('p');
    expect(request.training).toEqual({ optimizer: { type: 'adam', learningRate: { initial: 0.01 } } });
  });

  it('reads a request and a bare network from a file', async () => {
    const request = await file('request.json', JSON.stringify({ model: 'mnist-mlp', seed: 3 }));
    expect(await buildTrainRequest(request, {}, preset)).toEqual({ model: 'mnist-mlp', seed: 3 });
    const network = { name: 'tiny', layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }] };
    const bare = await file('network.json', JSON.stringify(network));
    expect(await buildTrainRequest(bare, { dataset: 'mnist' }, preset)).toEqual({ model: network, dataset: 'mnist' });
  });

  it.each([
    ['an unknown field', 'mnist-cnn', { set: ['trainning.epochs=2'] }, /trainning/],
    ['a value out of range', 'mnist-cnn', { set: ['training.epochs=0'] }, /training\.epochs/],
    ['a file that is not there', './none.json', {}, /cannot read .*none\.json/],
  ])('reports %s as wrong usage', async (_name, model, options, message) => {
    const built = buildTrainRequest(model, options, preset);
    await expect(built).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  });

  it('reports a file that holds no object as wrong usage', async () => {
    const text = buildTrainRequest(await file('text.json', 'no json'), {}, preset);
    await expect(text).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('is not JSON') });
    const list = buildTrainRequest(await file('list.json', '[]'), {}, preset);
    await expect(list).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('no JSON object') });
  });
});
