import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inputsOf, stepKey, type KeyMaterial } from '../../lib/stepcache/index.ts';
import { ref } from '../workflows/support/refs.ts';

const material: KeyMaterial = {
  schema: 1,
  tenant: 'default',
  stage: 'train',
  inputs: { seed: 42, data: ref('manifest').sha256 },
  environment: { deviceClass: 'cpu-avx2', replicas: 2, threads: 1 },
  code: ref('code').sha256,
};

describe('the key of a stage', () => {
  it('does not depend on the order of fields', () => {
    const shuffled = Object.fromEntries(Object.entries(material).reverse()) as unknown as KeyMaterial;
    expect(stepKey(shuffled)).toBe(stepKey(material));
  });

  it('is SHA-256 of the canonical JSON, in every release of the platform', () => {
    // Computed by another implementation: Python, json.dumps(sort_keys=True, separators=(',', ':')).
    expect(stepKey(material)).toBe('0fe296369dd33710eab6124480982b7ee9aec54c6c4834b678c4f4a3a0bab005');
  });

  it.each([
    ['tenant', { tenant: 'other' }],
    ['stage', { stage: 'evaluate' }],
    ['input', { inputs: { seed: 43, data: ref('manifest').sha256 } }],
    ['artifact', { inputs: { seed: 42, data: ref('another manifest').sha256 } }],
    ['device class', { environment: { ...material.environment, deviceClass: 'cpu-avx512' } }],
    ['number of replicas', { environment: { ...material.environment, replicas: 1 } }],
    ['code', { code: ref('other code').sha256 }],
  ] as const)('changes with the %s', (_, change) => {
    expect(stepKey({ ...material, ...change })).not.toBe(stepKey(material));
  });
});

describe('the inputs of a stage', () => {
  const data = { manifest: ref('manifest'), cardSha256: ref('card').sha256, dataSha256: ref('data').sha256 };
  const trained = { weights: ref('weights'), history: ref('history'), steps: 9, seconds: 1.5, tags: { resumes: '0' } };

  it('name artifacts by their bytes, wherever they lie and whatever they are called', () => {
    const elsewhere = { ...data, manifest: { ...data.manifest, uri: 's3://bucket/x', mediaType: 'text/plain' } };
    expect(inputsOf('train', { data: elsewhere, seed: 1 })).toEqual(inputsOf('train', { data, seed: 1 }));
  });

  it('leave out who asks', () => {
    const asked = { data, run: { key: 'train-1' }, keep: { tenant: 'default' } };
    expect(inputsOf('train', asked)).toEqual(inputsOf('train', { data }));
  });

  it('of an evaluation leave out how long the training took, and its tags', () => {
    const slower = { ...trained, seconds: 99, tags: { resumes: '3' } };
    expect(inputsOf('evaluate', { data, trained: slower })).toEqual(inputsOf('evaluate', { data, trained }));
    const other = { ...trained, weights: ref('other weights') };
    expect(inputsOf('evaluate', { data, trained: other })).not.toEqual(inputsOf('evaluate', { data, trained }));
  });

  it('take in every parameter, also one that nobody thought of', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.jsonValue(), (name, value) => {
        fc.pre(!['run', 'keep', 'data'].includes(name) && !name.startsWith('__'));
        expect(inputsOf('train', { data, [name]: value })).not.toEqual(inputsOf('train', { data }));
      }),
    );
  });
});
