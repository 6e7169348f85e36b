import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Extraction } from '../../contracts/extraction.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { readFloat32 } from '../../lib/datasets/index.ts';
import { extractInChild, halve, resolveExtractionInput, substituteFor, SubstituteResult } from '../../lib/ml/index.ts';
import type { ExtractInChildOptions } from '../../lib/ml/index.ts';
import { trainingSizes } from '../../lib/ml/extraction/point.ts';
import { RandomStream } from '../../lib/ml/random.ts';
import { mnistSubset } from './support/mnist-subset.ts';
import type { Fixture } from './support/mnist-subset.ts';

const model = ModelConfig.parse({ name: 'thief', layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }] });
const extraction = Extraction.parse({
  queries: [20, 150, 500],
  answers: ['probabilities'],
  seed: 3,
  training: { epochs: 10, minSteps: 150, batchSize: 32, learningRate: 0.01 },
});

/** A linear model that nobody trained: what it answers can be learnt from its answers alone. */
const stream = new RandomStream('victim', 1);
const kernel = Float32Array.from({ length: 784 * 10 }, () => 0.02 * (stream.uniform() - 0.5));

function answer(x: Float32Array): Float32Array {
  const scores = Float64Array.from({ length: 10 }, (_, c) =>
    x.reduce((sum, value, i) => sum + value * (kernel[i * 10 + c] ?? 0), 0),
  );
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => power / sum);
}

let fixture: Fixture;
let manifest: PreparedManifest;
let unseen: Int32Array;
let truths: number[];
/** Fidelity of the copy that was told probabilities. */
let told = 0;
beforeAll(async () => {
  fixture = await mnistSubset();
  manifest = { ...fixture.manifest, splits: { ...fixture.manifest.splits, test: fixture.manifest.splits.train } };
  const { x, count } = manifest.splits.test;
  const bytes = readFileSync(await fixture.store.path(x));
  truths = Array.from({ length: count }, (_, row) => {
    const p = answer(Float32Array.from(bytes.subarray(row * 784, (row + 1) * 784)));
    return p.indexOf(Math.max(...p));
  });
  unseen = Int32Array.from(halve(count, extraction).unseen);
});
afterAll(() => fixture.dispose());

class Finished {
  readonly refs = new Map<number, ArtifactRef>();
  finished = async (): Promise<ReadonlyMap<number, ArtifactRef>> => new Map(this.refs);
  commit = async ({ batch, ref }: { batch: number; ref: ArtifactRef }): Promise<void> => {
    this.refs.set(batch, ref);
  };
}

interface Asked {
  rows: number;
}

async function extract(changes: Partial<ExtractInChildOptions> = {}, asked: Asked = { rows: 0 }) {
  const refs = await extractInChild({
    ...{ model, manifest, extraction, answers: 'probabilities' },
    artifacts: fixture.store,
    finished: new Finished(),
    threads: 1,
    victim: async (path, count) => {
      asked.rows += count;
      const x = await readFloat32(path);
      const y = new Float32Array(count * 10);
      for (let row = 0; row < count; row += 1) y.set(answer(x.subarray(row * 784, (row + 1) * 784)), row * 10);
      return y;
    },
    ...changes,
  });
  return Promise.all(refs.map((ref) => fixture.store.readJson(ref, SubstituteResult)));
}

/** Share of the unseen samples that the copy puts where the victim puts them. */
function fidelity({ predicted }: SubstituteResult): number {
  return predicted.filter((label, row) => label === truths[unseen[row] ?? -1]).length / predicted.length;
}

const plain = ({ seconds, ...rest }: SubstituteResult): Omit<SubstituteResult, 'seconds'> => {
  expect(seconds).toBeGreaterThan(0);
  return rest;
};

describe('an extraction', () => {
  it('copies better with more queries, makes those that it has no samples for, and asks no more than it says', async () => {
    const asked = { rows: 0 };
    const results = await extract({}, asked);
    told = fidelity(results.at(-1) as SubstituteResult);
    const own = Math.floor(truths.length / 2);
    expect(results.map(({ queries, made }) => [queries, made?.count ?? 0])).toEqual([
      [20, 0],
      [150, 0],
      [500, Math.max(0, 500 - own)],
    ]);
    expect(asked.rows).toBe(500);
    const [few = 1, some = 0, many = 0] = results.map(fidelity);
    expect(few).toBeLessThan(some);
    expect(many).toBeGreaterThan(few + 0.1);
  });

  it('gives the same numbers again, and after it was killed', async () => {
    const finished = new Finished();
    const stop = new AbortController();
    const killed = extract({
      finished: {
        finished: finished.finished,
        commit: async (point) => {
          await finished.commit(point);
          if (point.batch === 1) stop.abort(new Error('killed'));
        },
      },
      signal: stop.signal,
      extraction: { ...extraction, ownSamples: 40 },
    });
    await expect(killed).rejects.toThrow('killed');
    expect([...finished.refs.keys()]).toEqual([0, 1]);
    const asked = { rows: 0 };
    const limited = { ...extraction, ownSamples: 40 };
    const resumed = await extract({ finished, extraction: limited }, asked);
    // Its own samples, and what the last copy needs; nothing twice of what was made.
    expect(asked.rows).toBe(40 + 500 - 150);
    const whole = await extract({ extraction: limited });
    expect(resumed.map(plain)).toEqual(whole.map(plain));
    expect(whole.at(-1)?.made).toMatchObject({ count: 460, rounds: 4 });
  });

  it('learns less where labels are all that is told', async () => {
    const results = await extract({ answers: 'labels' });
    expect(fidelity(results.at(-1) as SubstituteResult)).toBeLessThan(told);
  });

  it('passes on what the model throws', async () => {
    const victim = async () => Promise.reject(new Error('no answer'));
    await expect(extract({ victim })).rejects.toThrow('no answer');
  });
});

describe('what is asked for', () => {
  it('shares the test set out without overlap, the same for the same seed', () => {
    const { own, unseen: others } = halve(101, { seed: 1 });
    expect([own.length, others.length]).toEqual([50, 51]);
    expect(new Set([...own, ...others]).size).toBe(101);
    expect(halve(101, { seed: 1, ownSamples: 10 })).toEqual({ own: own.subarray(0, 10), unseen: others });
    expect(halve(101, { seed: 2 }).own).not.toEqual(own);
  });

  it('doubles what is known where there are no more samples', () => {
    expect(trainingSizes({ queries: [50, 100, 1000] }, 100)).toEqual([50, 100, 200, 400, 800, 1000]);
    expect(trainingSizes({ queries: [10, 90] }, 20)).toEqual([10, 20, 40, 80, 90]);
  });

  it('names the network of a preset, the model’s own, or one that is made for the data', () => {
    const base = { model: 'm', queries: [10], answers: ['labels' as const], step: 0.1, seed: 1, threshold: 0.9 };
    const training = { epochs: 1, minSteps: 1, batchSize: 8, learningRate: 0.1 };
    const input = resolveExtractionInput({ ...base, training, substitute: 'mnist-softmax' }, 'ann');
    expect(input.extraction.substitute?.name).toBe('mnist-softmax');
    expect(() => resolveExtractionInput({ ...base, training, substitute: 'nope' }, 'ann')).toThrow('no preset');
    expect(substituteFor({}, { network: model, dataset: 'mnist' })).toBe(model);
    expect(substituteFor({}, { dataset: 'digits' }).name).toBe('digits-mlp');
    expect(() => substituteFor({}, { dataset: 'unheard-of' })).toThrow('no preset');
  });
});
