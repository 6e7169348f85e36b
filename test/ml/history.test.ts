import { describe, expect, it } from '@jest/globals';
import { History } from '../../lib/ml/training/history.ts';

const step = (number: number, loss: number, right: number) => ({
  step: number,
  epoch: 1,
  learningRate: 0.1,
  loss,
  right,
  samples: 4,
  seconds: 0.5,
});

function lines(history: History): unknown[] {
  return history.ndjson
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe('History', () => {
  it('writes means over the steps since the last line', () => {
    const history = new History(2);
    history.add(step(1, 1, 0));
    history.add(step(2, 2, 2));
    history.add(step(3, 5, 4), { valLoss: 0.4, valAccuracy: 0.9 });
    expect(lines(history)).toEqual([
      { step: 2, epoch: 1, loss: 1.5, accuracy: 0.25, throughput: 8, learningRate: 0.1 },
      { step: 3, epoch: 1, loss: 5, accuracy: 1, throughput: 8, learningRate: 0.1, valLoss: 0.4, valAccuracy: 0.9 },
    ]);
  });

  it('goes on in the middle of a line', () => {
    const whole = new History(3);
    const first = new History(3);
    for (const history of [whole, first]) for (const number of [1, 2, 3, 4]) history.add(step(number, number, 1));
    const second = new History(3, structuredClone(first.state));
    for (const history of [whole, second]) for (const number of [5, 6]) history.add(step(number, number, 1));
    expect(second.ndjson).toBe(whole.ndjson);
  });
});
