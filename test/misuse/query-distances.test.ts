import { beforeAll, describe, expect, it } from '@jest/globals';
import { images, type Images } from '../../bench/misuse/data.ts';
import type { SoftmaxRegression } from '../../bench/misuse/softmax.ts';
import { attacks, benign, victimOf } from '../../bench/misuse/traffic.ts';
import { watch } from '../../bench/misuse/watch.ts';
import { QueryDetector, QueryDistances } from '../../lib/misuse/index.ts';

/** Chosen on MNIST by `saip bench misuse`. What is tested here is another data set, which had no say in it. */
const THRESHOLD = 0.95;

let digits: Images;
let victim: SoftmaxRegression;
beforeAll(async () => {
  digits = await images('digits', { train: 500, others: 1300 });
  victim = victimOf(digits);
});

const settings = { minW: THRESHOLD, maxStrangeShare: 1, unlike: () => false };
const look = (streams: ReturnType<typeof benign>, kind: string) => {
  const stream = streams.find((candidate) => candidate.kind === kind);
  if (stream === undefined) throw new Error(`no such caller: ${kind}`);
  return watch(stream, digits, victim, settings);
};
/** A seed that the bench does not use. */
const SEED = 1001;

describe('query distances', () => {
  it.each(['in random order', 'class by class', 'with repetitions', 'by a camera'])(
    'of pictures %s are normal',
    (kind) => {
      expect(look(benign(digits, SEED), kind)).toMatchObject({ flaggedAfter: undefined });
    },
  );

  it.each(['Jacobian augmentation, λ = 0.1', 'steps of FGSM from each sample'])(
    'of a thief by %s are not, and that shows within 300 queries',
    (kind) => {
      const {
        leastW,
        flag,
        flaggedAfter = Number.POSITIVE_INFINITY,
      } = look(attacks(digits, digits, victim, SEED), kind);
      expect(leastW).toBeLessThan(THRESHOLD);
      expect(flag).toBe('distance-distribution');
      expect(flaggedAfter).toBeLessThanOrEqual(300);
    },
  );

  it('show a thief who hides among as many honest queries', () => {
    const [honest] = benign(digits, SEED);
    const [thief] = attacks(digits, digits, victim, SEED);
    const rows = (thief?.rows ?? []).flatMap((x, index) => [x, honest?.rows[index] ?? x]);
    expect(watch({ kind: 'mixed', rows }, digits, victim, settings).flaggedAfter).toBeLessThanOrEqual(600);
  });

  it('say nothing of the same query again and again', () => {
    const [{ x } = { x: new Float32Array(64) }] = digits.others;
    const distances = new QueryDistances({ width: 64, classes: 10 });
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
