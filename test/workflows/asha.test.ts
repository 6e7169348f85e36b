import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bestOf, nextJob, rungsOf } from '../../workflows/search/asha.ts';
import type { AshaJob, AshaPlan, AshaTrial } from '../../workflows/search/asha.ts';

const plan = (changes: Partial<AshaPlan> = {}): AshaPlan => ({
  rungs: [1, 3, 9],
  eta: 3,
  objective: 'loss',
  trials: 9,
  ...changes,
});

/** A trial with these losses, one a rung. */
function paused(trial: number, ...losses: number[]): AshaTrial {
  return {
    trial,
    state: 'paused',
    measures: losses.map((loss, rung) => ({ rung, epoch: 3 ** rung, loss, accuracy: 1 - loss })),
  };
}
const running = (trial: number, ...losses: number[]): AshaTrial => ({ ...paused(trial, ...losses), state: 'running' });
const failed = (trial: number, ...losses: number[]): AshaTrial => ({ ...paused(trial, ...losses), state: 'failed' });

describe('rungs', () => {
  it.each([
    [{ minEpochs: 1, maxEpochs: 9, eta: 3 }, [1, 3, 9]],
    [{ minEpochs: 1, maxEpochs: 81, eta: 3 }, [1, 3, 9, 27, 81]],
    [{ minEpochs: 2, maxEpochs: 16, eta: 2 }, [2, 4, 8, 16]],
    [{ minEpochs: 1, maxEpochs: 10, eta: 3 }, [1, 3, 10]],
    [{ minEpochs: 1, maxEpochs: 4, eta: 3 }, [1, 4]],
    [{ minEpochs: 3, maxEpochs: 10, eta: 3 }, [3, 10]],
    [{ minEpochs: 1, maxEpochs: 2, eta: 3 }, [2]],
    [{ minEpochs: 1, maxEpochs: 1, eta: 2 }, [1]],
  ])('of %j are %j', (options, expected) => {
    expect(rungsOf(options)).toEqual(expected);
  });

  it('grow to the whole training, none below the least', () => {
    const epochs = fc.integer({ min: 1, max: 1000 });
    fc.assert(
      fc.property(epochs, epochs, fc.integer({ min: 2, max: 10 }), (a, b, eta) => {
        const [minEpochs, maxEpochs] = [Math.min(a, b), Math.max(a, b)];
        const rungs = rungsOf({ minEpochs, maxEpochs, eta });
        expect(rungs.at(-1)).toBe(maxEpochs);
        expect(rungs[0]).toBeGreaterThanOrEqual(minEpochs);
        expect(rungs).toEqual([...new Set(rungs)].sort((x, y) => x - y));
      }),
    );
  });
});

describe('the next job', () => {
  it('is a new configuration while too few are measured', () => {
    expect(nextJob(plan(), [])).toEqual({ trial: 1, rung: 0 });
    expect(nextJob(plan(), [paused(1, 0.5), paused(2, 0.4)])).toEqual({ trial: 3, rung: 0 });
  });

  it('promotes the best third, once', () => {
    const measured = [paused(1, 0.5), paused(2, 0.3), paused(3, 0.4)];
    expect(nextJob(plan(), measured)).toEqual({ trial: 2, rung: 1 });
    expect(nextJob(plan(), [measured[0]!, running(2, 0.3), measured[2]!])).toEqual({ trial: 4, rung: 0 });
    expect(nextJob(plan(), [measured[0]!, paused(2, 0.3, 0.2), measured[2]!])).toEqual({ trial: 4, rung: 0 });
  });

  it('looks at the highest rung first', () => {
    const trials = [
      ...[paused(1, 0.1, 0.3), paused(2, 0.2, 0.1), paused(3, 0.3, 0.2)],
      ...[4, 5, 6, 7, 8, 9].map((trial) => paused(trial, trial)),
      ...[paused(10, 0.05), paused(11, 0.06), paused(12, 0.07)],
    ];
    expect(nextJob(plan({ trials: 12 }), trials)).toEqual({ trial: 2, rung: 2 });
    // With that one on its way, the lower rung has one among its best four that was not promoted.
    const going = trials.map((trial) => (trial.trial === 2 ? running(2, 0.2, 0.1) : trial));
    expect(nextJob(plan({ trials: 12 }), going)).toEqual({ trial: 10, rung: 1 });
  });

  it('promotes who falls behind no more, and never who failed', () => {
    const trials = [failed(1, 0.1), paused(2, 0.2), paused(3, 0.3), paused(4, 0.4), paused(5, 0.5), paused(6, 0.6)];
    expect(nextJob(plan({ trials: 6 }), trials)).toEqual({ trial: 2, rung: 1 });
    const after = trials.map((trial) => (trial.trial === 2 ? failed(2, 0.2) : trial));
    expect(nextJob(plan({ trials: 6 }), after)).toBeUndefined();
  });

  it('waits when all configurations are out and nobody may go on', () => {
    expect(nextJob(plan({ trials: 2 }), [running(1), paused(2, 0.1)])).toBeUndefined();
  });

  it('compares by accuracy where that is the objective, and by loss among equals', () => {
    const measure = (loss: number, accuracy: number) => [{ rung: 0, epoch: 1, loss, accuracy }];
    const trials = [
      { trial: 1, state: 'paused' as const, measures: measure(0.1, 0.9) },
      { trial: 2, state: 'paused' as const, measures: measure(0.3, 0.95) },
      { trial: 3, state: 'paused' as const, measures: measure(0.2, 0.95) },
    ];
    expect(nextJob(plan({ objective: 'accuracy' }), trials)).toEqual({ trial: 3, rung: 1 });
    expect(nextJob(plan(), trials)).toEqual({ trial: 1, rung: 1 });
  });
});

describe('the best trial', () => {
  it('is the best of the highest rung, whatever others were worth below', () => {
    expect(bestOf(plan(), [])).toBeUndefined();
    expect(bestOf(plan(), [running(1), failed(2)])).toBeUndefined();
    expect(bestOf(plan(), [paused(1, 0.1), paused(2, 0.3, 0.2), paused(3, 0.4, 0.25)])?.trial).toBe(2);
    expect(bestOf(plan(), [paused(1, 0.3), failed(2, 0.1), running(3, 0.2)])?.trial).toBe(3);
  });
});

/** Runs a search on known losses with `slots` at a time, one of which ends next as `order` says. */
function simulate(options: {
  plan: AshaPlan;
  losses: readonly (readonly number[])[];
  slots: number;
  order: () => number;
}) {
  const { losses, slots, order } = options;
  const trials: AshaTrial[] = [];
  const going: AshaJob[] = [];
  const log: string[] = [];
  for (;;) {
    while (going.length < slots) {
      const job = nextJob(options.plan, trials);
      if (job === undefined) break;
      going.push(job);
      log.push(`${job.trial}:${job.rung}`);
      const before = losses[job.trial - 1]?.slice(0, job.rung) ?? [];
      trials[job.trial - 1] = running(job.trial, ...before);
    }
    const [job] = going.splice(order() % Math.max(1, going.length), 1);
    if (job === undefined) return { trials, log };
    trials[job.trial - 1] = paused(job.trial, ...(losses[job.trial - 1]?.slice(0, job.rung + 1) ?? []));
  }
}

describe('a whole search', () => {
  it('goes as by hand: nine configurations, rungs of 1, 3 and 9 epochs, one slot', () => {
    const losses = [5, 3, 4, 2, 9, 8, 1, 7, 6].map((loss) => [loss, loss / 2, loss / 4]);
    const { log, trials } = simulate({ plan: plan(), losses, slots: 1, order: () => 0 });
    expect(log).toEqual([
      // Three are measured: the best one of them, 2, goes on; of four, the best one is 4.
      ...['1:0', '2:0', '3:0', '2:1', '4:0', '4:1', '5:0', '6:0'],
      // Of seven the best two are 7 and 4. Three have three epochs then: the best of them, 7, is trained to the end.
      ...['7:0', '7:1', '7:2', '8:0', '9:0'],
    ]);
    expect(bestOf(plan(), trials)?.trial).toBe(7);
  });

  it('is the same every time, trains no rung twice, and promotes a third at most', () => {
    const scenario = fc.record({
      losses: fc.array(fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 3, maxLength: 3 }), {
        minLength: 1,
        maxLength: 30,
      }),
      slots: fc.integer({ min: 1, max: 5 }),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
      eta: fc.integer({ min: 2, max: 4 }),
    });
    fc.assert(
      fc.property(scenario, ({ losses, slots, picks, eta }) => {
        const run = () => {
          let at = 0;
          const order = (): number => picks[at++ % picks.length] ?? 0;
          return simulate({ plan: plan({ trials: losses.length, eta }), losses, slots, order });
        };
        const { log, trials } = run();
        expect(run().log).toEqual(log);
        expect(new Set(log).size).toBe(log.length);
        expect(trials).toHaveLength(losses.length);
        const at = (rung: number): number => trials.filter(({ measures }) => measures.length > rung).length;
        // Promotions are not taken back when better ones come: each of those measured can have displaced one.
        for (const rung of [1, 2]) expect(at(rung)).toBeLessThanOrEqual(at(rung - 1));
        for (const { trial } of trials.filter(({ measures }) => measures.length > 1))
          expect(log).toContain(`${trial}:0`);
        // Those that deserve it in the end were promoted.
        for (const rung of [0, 1]) {
          const measured = trials.filter(({ measures }) => measures.length > rung);
          const best = [...measured].sort(
            (a, b) => a.measures[rung]!.loss - b.measures[rung]!.loss || a.trial - b.trial,
          );
          const top = best.slice(0, Math.floor(measured.length / eta));
          for (const { measures } of top) expect(measures.length).toBeGreaterThan(rung + 1);
        }
      }),
    );
  });
});
