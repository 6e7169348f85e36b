import { describe, expect, it } from '@jest/globals';
import { joined, split } from '../../../api/serving/batch.ts';
import { Batcher, PATIENT, type BatcherOptions, type Outputs } from '../../../api/serving/batcher.ts';
import type { Feeds } from '../../../api/serving/runtime/session.ts';
import { ApiError } from '../../../api/errors.ts';

const LIMITS = { rows: 4, delay: 0, queue: 8 };

/** `count` rows of two numbers that begin with `first`. */
function rows(first: number, count = 1): Feeds {
  const data = Float32Array.from({ length: 2 * count }, (_, index) => first + index);
  return { x: { type: 'float32', data, dims: [count, 2] } };
}

/** A runtime that doubles its input, keeps the sizes of its calls, and waits until it is let go. */
function doubling(options: Partial<BatcherOptions> = {}) {
  const calls: number[] = [];
  let gate: Promise<void> | undefined;
  const run = async (feeds: Feeds): Promise<Outputs> => {
    const { data, dims } = feeds['x'] ?? rows(0)['x']!;
    calls.push(dims[0] ?? 0);
    await gate;
    const numbers = data as Float32Array;
    if (numbers.includes(13)) throw new Error('thirteen');
    return { y: { type: 'float32', data: numbers.map((value) => value * 2), dims } };
  };
  const batcher = new Batcher({ run, limits: LIMITS, ...options });
  return {
    calls,
    batcher,
    /** Calls wait until the returned function is called. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = undefined;
        resolve();
      };
    },
    ask: (feeds: Feeds, patience = PATIENT) => batcher.submit(feeds, ['y'], patience),
  };
}

const numbersOf = ({ outputs }: { readonly outputs: Outputs }): number[] => [...(outputs['y']?.data as Float32Array)];
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a batch', () => {
  it('is cut into what each request would have got alone', () => {
    const parts = [rows(1), rows(10, 2), rows(20)];
    const all = joined(parts);
    expect(all['x']?.dims).toEqual([4, 2]);
    const outputs = split({ y: { ...all['x']! } }, [1, 2, 1]);
    expect(outputs.map(({ y }) => [y?.dims, [...(y?.data as Float32Array)]])).toEqual([
      [
        [1, 2],
        [1, 2],
      ],
      [
        [2, 2],
        [10, 11, 12, 13],
      ],
      [
        [1, 2],
        [20, 21],
      ],
    ]);
  });

  it('joins strings, too', () => {
    const text = (...data: string[]) => ({ s: { type: 'string' as const, data, dims: [data.length] } });
    expect(joined([text('a'), text('b', 'c')])).toEqual({ s: { type: 'string', data: ['a', 'b', 'c'], dims: [3] } });
    expect(split(text('a', 'b', 'c'), [2, 1])).toEqual([text('a', 'b'), text('c')]);
  });

  it('refuses outputs that do not have one entry a row', () => {
    expect(() => split({ y: { type: 'float32', data: new Float32Array(2), dims: [2] } }, [1, 2])).toThrow(RangeError);
  });
});

describe('Batcher', () => {
  it('answers at once when nothing else is there', async () => {
    const { ask, calls } = doubling();
    const ran = await ask(rows(1));
    expect(numbersOf(ran)).toEqual([2, 4]);
    expect(ran.batch).toBe(1);
    expect(calls).toEqual([1]);
  });

  it('lets what comes while a call runs share the next one, up to its limit', async () => {
    const { ask, calls, hold } = doubling();
    const release = hold();
    const first = ask(rows(1));
    await nextTurn();
    const others = [10, 20, 30, 40, 50].map((value) => ask(rows(value)));
    release();
    expect(numbersOf(await first)).toEqual([2, 4]);
    const answers = await Promise.all(others);
    expect(answers.map(numbersOf)).toEqual([10, 20, 30, 40, 50].map((value) => [2 * value, 2 * value + 2]));
    expect(answers.map(({ batch }) => batch)).toEqual([4, 4, 4, 4, 1]);
    expect(calls).toEqual([1, 4, 1]);
  });

  it('keeps requests of another shape apart', async () => {
    const { ask, calls } = doubling();
    const wide: Feeds = { x: { type: 'float32', data: new Float32Array(3), dims: [1, 3] } };
    const answers = await Promise.all([ask(rows(1)), ask(wide), ask(rows(5))]);
    expect(answers.map(({ batch }) => batch)).toEqual([2, 1, 2]);
    expect(calls).toEqual([2, 1]);
  });

  it('does not let an error reach those who share a call with it', async () => {
    const { ask, calls } = doubling();
    const [good, bad, other] = await Promise.allSettled([ask(rows(1)), ask(rows(13)), ask(rows(20))]);
    expect(good).toMatchObject({ status: 'fulfilled', value: { batch: 1 } });
    expect(bad).toMatchObject({ status: 'rejected', reason: new Error('thirteen') });
    expect(other).toMatchObject({ status: 'fulfilled' });
    expect(calls).toEqual([3, 1, 1, 1]);
  });

  it('runs nothing for those who no longer wait', async () => {
    const { ask, calls, hold } = doubling();
    const release = hold();
    const first = ask(rows(1));
    await nextTurn();
    const patience: { over: Error | undefined } = { over: undefined };
    const gone = ask(rows(10), patience);
    patience.over = new ApiError('UNAVAILABLE', 'The client closed the connection.');
    release();
    await first;
    await expect(gone).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(calls).toEqual([1]);
  });

  it('refuses at once what would wait behind too many', async () => {
    const { ask, hold } = doubling();
    const release = hold();
    const first = ask(rows(1));
    await nextTurn();
    const waiting = Array.from({ length: LIMITS.queue }, () => ask(rows(2)));
    await expect(ask(rows(3))).rejects.toMatchObject({ code: 'UNAVAILABLE', headers: { 'Retry-After': '1' } });
    release();
    await Promise.all([first, ...waiting]);
  });

  it('waits for company only where company is usual', async () => {
    const limits = { rows: 8, delay: 1_000, queue: 64 };
    const { ask } = doubling({
      limits,
      run: async (feeds) => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { y: { ...feeds['x']! } };
      },
    });
    // Eight at a time, again and again, make a batch of eight usual.
    for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 8 }, () => ask(rows(1))));
    const early = ask(rows(1));
    await nextTurn();
    await nextTurn();
    const late = ask(rows(2));
    expect((await early).batch).toBe(2);
    expect((await late).batch).toBe(2);
  });

  it('gives each request the outputs that it asked for', async () => {
    const { batcher } = doubling({
      run: (feeds) => Promise.resolve({ y: { ...feeds['x']! }, z: { ...feeds['x']! } }),
    });
    const [one, two] = await Promise.all([
      batcher.submit(rows(1), ['y'], PATIENT),
      batcher.submit(rows(2), ['z', 'y'], PATIENT),
    ]);
    expect([Object.keys(one.outputs), Object.keys(two.outputs)]).toEqual([['y'], ['y', 'z']]);
  });
});
