import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadlines } from '../../../api/data-plane/deadlines.ts';

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
});
