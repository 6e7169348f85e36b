import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeWorkFolder } from '../../heavy/index.ts';
import { MlError } from '../errors.ts';

const SIGNAL = Uint8Array.of(1);

/**
 * Makes the folder that the ranks of one training meet in: a slot of shared memory for each rank, and a FIFO from each
 * rank to each other. Nothing stays behind once `Exchange.open` has returned in rank 0.
 *
 * @param length most numbers in one vector
 */
export function createExchange(ranks: number, length: number): string {
  const folder = makeWorkFolder({ inMemory: true });
  for (let rank = 0; rank < ranks; rank += 1) {
    const slot = openSync(slotPath(folder, rank), 'wx', 0o600);
    ftruncateSync(slot, 2 * length * Float32Array.BYTES_PER_ELEMENT);
    closeSync(slot);
  }
  const fifos = pairs(ranks).flatMap(([from, to]) => [fifoPath(folder, from, to), fifoPath(folder, to, from)]);
  execFileSync('mkfifo', ['-m', '600', ...fifos]);
  return folder;
}

export interface ExchangeOptions {
  readonly folder: string;
  readonly rank: number;
  readonly ranks: number;
  readonly length: number;
}

interface Peer {
  readonly rank: number;
  readonly toPeer: number;
  readonly fromPeer: number;
  readonly slot: number;
  readonly received: Float32Array;
}

/**
 * Lets the ranks of a training see each other's vectors, step by step, with blocking calls: a step is shorter than a
 * turn of the event loop would be. Each rank writes its vector to its own slot of shared memory and sends every other
 * one a byte; two halves of a slot are used in turn, so that a fast rank cannot overwrite what a slow one still reads.
 */
export class Exchange {
  readonly #peers: readonly Peer[];
  readonly #slot: number;
  readonly #halfBytes: number;
  #half = 0;

  private constructor(peers: readonly Peer[], slot: number, length: number) {
    this.#peers = peers;
    this.#slot = slot;
    this.#halfBytes = length * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Blocks until every rank has opened its ends. */
  static open({ folder, rank, ranks, length }: ExchangeOptions): Exchange {
    const opened = new Map<string, number>();
    // Opening a FIFO waits for the other side, so all ranks go through the pairs in one order.
    for (const [low, high] of pairs(ranks)) {
      if (rank !== low && rank !== high) continue;
      for (const [from, to] of [
        [low, high],
        [high, low],
      ] as const) {
        opened.set(`${from}-${to}`, openSync(fifoPath(folder, from, to), rank === from ? 'w' : 'r'));
      }
    }
    const peers = Array.from({ length: ranks }, (_, other) => other)
      .filter((other) => other !== rank)
      .map((other) => ({
        rank: other,
        toPeer: opened.get(`${rank}-${other}`) as number,
        fromPeer: opened.get(`${other}-${rank}`) as number,
        slot: openSync(slotPath(folder, other), 'r'),
        received: new Float32Array(length),
      }));
    const exchange = new Exchange(peers, openSync(slotPath(folder, rank), 'r+'), length);
    exchange.gather(rank, new Float32Array(0));
    if (rank === 0) rmSync(folder, { recursive: true });
    return exchange;
  }

  /**
   * Returns the vectors of all ranks, by rank. Those of others are valid until the next call.
   *
   * @throws MlError CHILD_CRASHED if another rank is gone.
   */
  gather(rank: number, own: Float32Array): Float32Array[] {
    const position = this.#half * this.#halfBytes;
    this.#half = 1 - this.#half;
    writeSync(this.#slot, own, 0, own.byteLength, position);
    for (const peer of this.#peers) signal(peer);
    const vectors: Float32Array[] = [];
    vectors[rank] = own;
    for (const peer of this.#peers) {
      awaitSignal(peer);
      const vector = peer.received.subarray(0, own.length);
      if (readSync(peer.slot, vector, 0, vector.byteLength, position) !== vector.byteLength) throw lost(peer.rank);
      vectors[peer.rank] = vector;
    }
    return vectors;
  }
}

function signal(peer: Peer): void {
  try {
    writeSync(peer.toPeer, SIGNAL);
  } catch (cause) {
    throw lost(peer.rank, cause);
  }
}

function awaitSignal(peer: Peer): void {
  // The end of the file means that the other process closed its end, so ended.
  if (readSync(peer.fromPeer, new Uint8Array(1)) === 0) throw lost(peer.rank);
}

function lost(rank: number, cause?: unknown): MlError {
  return new MlError('CHILD_CRASHED', `replica ${rank} of the training is gone`, { cause, field: `replica ${rank}` });
}

function pairs(ranks: number): (readonly [number, number])[] {
  const all: (readonly [number, number])[] = [];
  for (let low = 0; low < ranks; low += 1) for (let high = low + 1; high < ranks; high += 1) all.push([low, high]);
  return all;
}

function slotPath(folder: string, rank: number): string {
  return join(folder, `slot-${rank}`);
}

function fifoPath(folder: string, from: number, to: number): string {
  return join(folder, `fifo-${from}-${to}`);
}
