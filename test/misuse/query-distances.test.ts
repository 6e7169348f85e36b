import { beforeAll, describe, expect, it } from '@jest/globals';
import { QueryDetector, QueryDistances } from '../../lib/misuse/index.ts';
import { extract } from './support/extraction.ts';
import { digits } from './support/mnist.ts';
import { SoftmaxRegression } from './support/softmax.ts';

const SHAPE = { width: 784, classes: 10 };
const THRESHOLD = 0.95;
let victim: SoftmaxRegression;

beforeAll(() => {
  victim = new SoftmaxRegression(784, 10);
  victim.fit(digits('train', 0, 1000), 2);
});

/** The smallest W while the rows come in, and after how many of them it first was below the threshold. */
function watch(rows: readonly Float32Array[]): { least: number; noticedAfter: number | undefined } {
  const distances = new QueryDistances(SHAPE);
  let least = 1;
  let noticedAfter: number | undefined;
  for (const [index, row] of rows.entries()) {
    distances.add(row, victim.predict(row));
    const w = index % 20 === 19 ? distances.w() : undefined;
    if (w === undefined) continue;
    least = Math.min(least, w);
    if (w < THRESHOLD) noticedAfter ??= index + 1;
  }
  return { least, noticedAfter };
}

/** What a thief asks who starts from some digits of its own. */
function thief(seeds: number, step: number): Float32Array[] {
  const queries: Float32Array[] = [];
  const own = digits('train', 30_000, seeds).map(({ x }) => x);
  extract(
    own,
    (x) => {
      queries.push(x);
      return victim.predict(x);
    },
    { rounds: 2, step },
  );
  return queries;
}

describe('query distances', () => {
  it.each([
    ['the test split', digits('t10k', 0, 1000)],
    ['digits of the training', digits('train', 20_000, 1000)],
    ['digits that come class by class', [...digits('t10k', 4000, 1000)].sort((a, b) => a.y - b.y)],
  ])('of %s are normal', (_, rows) => {
    expect(watch(rows.map(({ x }) => x))).toMatchObject({ noticedAfter: undefined });
  });

  it.each([
    [100, 25.5],
    [100, 76],
  ])('of a thief with %d digits and steps of %d are not, and that shows within 300 queries', (seeds, step) => {
    const { least, noticedAfter = Number.POSITIVE_INFINITY } = watch(thief(seeds, step));
    expect(least).toBeLessThan(THRESHOLD);
    expect(noticedAfter).toBeLessThanOrEqual(300);
  });

  it('show a thief who hides among as many honest queries', () => {
    const honest = digits('t10k', 0, 400);
    const mixed = thief(100, 25.5).flatMap((x, index) => [x, honest[index]?.x ?? x]);
    expect(watch(mixed).noticedAfter).toBeLessThanOrEqual(600);
  });

  it('say nothing of the same query again and again', () => {
    const [{ x } = { x: new Float32Array(784) }] = digits('t10k', 0, 1);
    const distances = new QueryDistances(SHAPE);
    for (let call = 0; call < 500; call += 1) distances.add(x, 1);
    expect([distances.count, distances.w()]).toEqual([0, undefined]);
  });

  it('that are all alike are of no nature', () => {
    const distances = new QueryDistances({ width: 300, classes: 1 });
    for (let call = 0; call < 300; call += 1) {
      distances.add(
        Float32Array.from({ length: 300 }, (_, index) => Number(index === call)),
        0,
      );
    }
    expect(distances.w()).toBe(0);
  });

  it('take bounded memory, whatever comes', () => {
    const distances = new QueryDistances({ width: 4, classes: 2, maxBytes: 1024 });
    for (let call = 0; call < 5_000; call += 1) {
      distances.add(Float32Array.of(Math.sin(call), Math.cos(call * 7), call % 13, call % 7), call % 2);
    }
    expect(distances.count).toBe(400);
    expect(distances.w()).toBeGreaterThan(0);
  });
});

describe('a detector', () => {
  const row = (strange: boolean) => ({ values: Float32Array.of(Math.random(), Math.random()), predicted: 0, strange });

  it('names a share of strange rows above the threshold', () => {
    const detector = new QueryDetector({ width: 0, classes: 2 });
    const found = Array.from({ length: 400 }, (_, index) =>
      detector.add(row(index % 3 > 0), { minW: THRESHOLD, maxStrangeShare: 0.5 }),
    ).find((suspicion) => suspicion !== undefined);
    expect(found).toMatchObject({ kind: 'out-of-distribution', evidence: { threshold: 0.5 } });
    expect(found?.evidence['share']).toBeCloseTo(2 / 3, 1);
  });

  it('says nothing where nothing is looked at', () => {
    const detector = new QueryDetector({ width: 2, classes: 2 });
    const found = Array.from({ length: 400 }, () => detector.add(row(true), { minW: 0, maxStrangeShare: 1 }));
    expect(found.filter((suspicion) => suspicion !== undefined)).toEqual([]);
  });
});
