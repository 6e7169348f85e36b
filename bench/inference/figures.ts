import type { Figure } from '../figure.ts';
import { contestant, loadOn, startServer, type Setting } from './contestants.ts';
import { inTurn, middle, ratioOf, type Rounds } from './rounds.ts';

const MIB = 2 ** 20;
/** Requests of the measurement of memory; 500,000 take a minute or two. */
const REQUESTS = Number(process.env['SAIP_BENCH_REQUESTS'] ?? 100_000);

const rate = (run: { readonly perSecond: number }): number => run.perSecond;
const late = (run: { readonly p99: number }): number => run.p99;

/** How many times as many requests a second. */
export function faster(what: string, ours: Rounds, theirs: Rounds, goal: number): Figure {
  const measured = ratioOf(ours, theirs, rate);
  return {
    what,
    measured: `${measured.toFixed(2)} ×`,
    target: `≥ ${goal} ×`,
    met: measured >= goal,
    detail: `${describe(ours)} against ${describe(theirs)}`,
  };
}

/** How the slowest hundredth of the answers compares. */
export function later(what: string, ours: Rounds, theirs: Rounds, goal: number): Figure {
  const measured = ratioOf(ours, theirs, late);
  return {
    what,
    measured: measured.toFixed(2),
    target: `≤ ${goal.toFixed(2)}`,
    met: measured <= goal,
    detail: `${middle(ours, late).toFixed(1)} against ${middle(theirs, late).toFixed(1)} ms`,
  };
}

/** How much of a processor a request takes: with one core for the server, nothing answers faster than this lets it. */
export function processorTime(contestants: Readonly<Record<string, Rounds>>): string {
  const each = Object.entries(contestants).map(
    ([name, rounds]) => `${name} ${middle(rounds, ({ cpuUs }) => cpuUs).toFixed(0)} µs (${describe(rounds)})`,
  );
  return `processor time a request: ${each.join(', ')}`;
}

function describe(rounds: Rounds): string {
  return `${Math.round(middle(rounds, rate))}/s`;
}

/** What a request with one connection takes beyond a call of the runtime. */
export async function overheadFigure(setting: Setting): Promise<Figure> {
  const alone = { connections: 1, seconds: 2 };
  const rounds = [await contestant('platform', setting).run(alone)];
  const empty = await contestant('empty', setting).run(alone);
  const [p50, runMs] = [middle(rounds, (run) => run.p50), middle(rounds, (run) => run.runMs)];
  return {
    what: 'one connection: p50 beyond a call of the runtime',
    measured: `${(p50 - runMs).toFixed(2)} ms`,
    target: '≤ 0.50 ms',
    met: p50 - runMs <= 0.5,
    detail: `${p50.toFixed(2)} ms, of which the runtime ${runMs.toFixed(3)} ms; an empty answer ${empty.p50.toFixed(2)} ms`,
  };
}

/** A model whose call takes a millisecond and more, with shared calls and without. */
export async function batchFigure(setting: Setting): Promise<Figure> {
  const [shared = [], alone = []] = await inTurn(
    [contestant('platform', setting, 'auto'), contestant('platform', setting, 'off')],
    {},
    2,
  );
  const figure = faster('a slow model: shared calls against calls of one', shared, alone, 1.2);
  const chosen = shared.every(({ batches }) => batches);
  const run = middle(alone, ({ runMs }) => runMs);
  return {
    ...figure,
    met: figure.met && chosen,
    detail: `${figure.detail}; a call takes ${run.toFixed(2)} ms; ${chosen ? 'chosen by the measurement at load' : 'not chosen at load'}`,
  };
}

/** Resident set after the first fifth of the requests, and after all of them. */
export async function memoryFigure(setting: Setting): Promise<Figure> {
  const server = await startServer('platform', setting);
  try {
    const options = { seconds: 600 };
    await loadOn(server, setting, { ...options, requests: REQUESTS / 5 });
    const before = server.rss() / MIB;
    await loadOn(server, setting, { ...options, requests: (REQUESTS * 4) / 5 });
    const after = server.rss() / MIB;
    return {
      what: `memory over ${REQUESTS} requests`,
      measured: `${(after - before).toFixed(0)} MiB more`,
      target: '≤ 10 % more',
      met: after <= before * 1.1,
      detail: `${before.toFixed(0)} MiB after a fifth, ${after.toFixed(0)} MiB at the end`,
    };
  } finally {
    await server.stop();
  }
}
