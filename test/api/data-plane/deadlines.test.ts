import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { Deadlines, type Ending } from '../../../api/data-plane/deadlines.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('Deadlines', () => {
  it('ends what takes too long, and nothing else', () => {
    const deadlines = new Deadlines();
    const ended: string[] = [];
    const ending = (name: string, milliseconds: number) => ({
      endsAt: performance.now() + milliseconds,
      end() {
        ended.push(name);
        deadlines.delete(this);
      },
    });
    deadlines.add(ending('first', 5_000));
    deadlines.add(ending('second', 10_000));
    const answered = ending('answered', 5_000);
    deadlines.add(answered);
    deadlines.delete(answered);
    jest.advanceTimersByTime(4_500);
    expect(ended).toEqual([]);
    jest.advanceTimersByTime(1_500);
    expect(ended).toEqual(['first']);
    jest.advanceTimersByTime(60_000);
    expect(ended).toEqual(['first', 'second']);
  });

  it('has no timer while nothing is open', () => {
    const deadlines = new Deadlines();
    const ending = { endsAt: performance.now() + 60_000, end: () => undefined };
    deadlines.add(ending);
    expect(jest.getTimerCount()).toBe(1);
    deadlines.delete(ending);
    jest.advanceTimersByTime(1_000);
    expect(jest.getTimerCount()).toBe(0);
    deadlines.add(ending);
    expect(jest.getTimerCount()).toBe(1);
  });

  it('knows what is open, in whatever order it came and went', () => {
    const indices = fc.array(fc.nat({ max: 19 }), { maxLength: 200 });
    fc.assert(
      fc.property(indices, (turns) => {
        const deadlines = new Deadlines();
        const ended: Ending[] = [];
        const all = Array.from({ length: 20 }, () => ({
          endsAt: performance.now() + 500,
          end() {
            ended.push(this);
            deadlines.delete(this);
          },
        }));
        const open = new Set<Ending>();
        for (const index of turns) {
          const one = all[index] as Ending;
          if (open.delete(one)) deadlines.delete(one);
          else {
            deadlines.add(one);
            open.add(one);
          }
        }
        jest.advanceTimersByTime(5_000);
        expect(ended).toHaveLength(open.size);
        expect(new Set(ended)).toEqual(open);
        expect(jest.getTimerCount()).toBe(0);
      }),
    );
  });

  it('keeps nothing of what is over, so that a young collection is enough', () => {
    const deadlines = new Deadlines();
    const open: Ending[] = [];
    const pass = (): void => {
      const ending = { endsAt: Number.POSITIVE_INFINITY, end: () => undefined, of: new Array<number>(128).fill(0.5) };
      deadlines.add(ending);
      open.push(ending);
      if (open.length > 64) deadlines.delete(open.shift() as Ending);
    };
    for (let n = 0; n < 1_000; n += 1) pass();
    collectGarbage();
    const before = oldSpace();
    let most = 0;
    // A kilobyte each.
    for (let n = 0; n < 200_000; n += 1) {
      pass();
      if (n % 1_000 === 0) most = Math.max(most, oldSpace() - before);
    }
    expect(most).toBeLessThan(20 * 1024 ** 2);
  });
});

/** Everything that lives is old after it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Bytes of objects that a young collection does not look at. */
function oldSpace(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.space_used_size ?? 0;
}
