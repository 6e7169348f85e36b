import type { TensorMetadata } from '../../contracts/inference.ts';
import { joined, split } from './batch.ts';
import type { Feeds, OrtSession } from './runtime/session.ts';
import { zeros, type TensorData } from './tensors.ts';

/** Milliseconds: `base` for any call plus `row` for each entry of the first axis. */
export interface Cost {
  readonly base: number;
  readonly row: number;
  /** How many times as many requests a second shared calls let through; 0 where rows cannot share one. */
  readonly gain: number;
}

const ROWS = 8;
/** Of a small graph many, as whatever else the process does disturbs each of them; of a large one few. */
const CALLS = { least: 3, most: 30, milliseconds: 40 };
/** What a request costs besides the runtime, in milliseconds, and what it costs more where it shares a call. */
const REQUEST_MS = 0.06;
const SHARE_MS = 0.006;
/** Rounding of FP32 sums in another order, relative. */
const TOLERANCE = 1e-4;

/** Runs the graph, once to compile and then to measure what a call costs. */
export async function measure(session: OrtSession): Promise<Cost> {
  const one = await fastest(session, 1);
  const batched = session.inputs.every(({ shape }) => shape[0] === -1);
  if (!batched) return { base: one, row: 0, gain: 0 };
  const many = await fastest(session, ROWS);
  const row = Math.max(0, (many - one) / (ROWS - 1));
  const gain = (REQUEST_MS + one) / (REQUEST_MS + SHARE_MS + many / ROWS);
  return { base: Math.max(0, one - row), row, gain: (await isRowWise(session)) ? gain : 0 };
}

/** The fastest of some calls: what the graph costs when nothing else disturbs it. */
async function fastest(session: OrtSession, rows: number): Promise<number> {
  const feeds = Object.fromEntries(session.inputs.map((input) => [input.name, zeros(input, rows)]));
  const fetches = session.outputs.map(({ name }) => name);
  await session.run(feeds, fetches);
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + CALLS.milliseconds;
  for (let call = 0; call < CALLS.least || (call < CALLS.most && performance.now() < end); call += 1) {
    const startedAt = performance.now();
    await session.run(feeds, fetches);
    best = Math.min(best, performance.now() - startedAt);
  }
  return best;
}

/** Whether rows get in a batch what they get alone. A graph for which that is not so is never batched. */
async function isRowWise(session: OrtSession): Promise<boolean> {
  const fetches = session.outputs.map(({ name }) => name);
  const requests = Array.from({ length: ROWS }, (_, index) => probe(session.inputs, index));
  try {
    const together = split(
      await session.run(joined(requests), fetches),
      requests.map(() => 1),
    );
    for (const [index, feeds] of requests.entries()) {
      const alone = await session.run(feeds, fetches);
      const same = fetches.every((name) => isClose(alone[name], together[index]?.[name]));
      if (!same) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** One row whose elements depend on `index`; strings stay empty. */
function probe(inputs: readonly TensorMetadata[], index: number): Feeds {
  return Object.fromEntries(
    inputs.map((input) => {
      const { type, data, dims } = zeros(input, 1);
      if (ArrayBuffer.isView(data) && (type === 'float32' || type === 'float64')) {
        for (let i = 0; i < data.length; i += 1) data[i] = Math.fround(Math.sin(1 + i * 0.7 + index * 1.3));
      }
      return [input.name, { type, data, dims }];
    }),
  );
}

function isClose(a: TensorData | undefined, b: TensorData | undefined): boolean {
  if (a === undefined || b === undefined || a.data.length !== b.data.length) return false;
  for (let i = 0; i < a.data.length; i += 1) {
    const [first, second] = [a.data[i], b.data[i]];
    if (Object.is(first, second)) continue;
    if (typeof first !== 'number' || typeof second !== 'number') return false;
    if (!(Math.abs(first - second) <= TOLERANCE * Math.max(1, Math.abs(first)))) return false;
  }
  return true;
}
