import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Suite } from '../figure.ts';
import { peerPython } from '../peer-environment.ts';
import { contestant, type Contestant, type Setting } from './contestants.ts';
import { batchFigure, faster, later, memoryFigure, overheadFigure, processorTime } from './figures.ts';
import { mnistModel, slowModel, withRawTensors } from './models.ts';
import { inTurn } from './rounds.ts';
import { makeKey } from './tokens.ts';

const PEER = {
  name: 'inference',
  lock: join(import.meta.dirname, 'requirements.lock'),
  what: 'FastAPI, ONNX Runtime and what they need',
};

/** Real sockets; every server, and the load generator, a process of its own; everybody in the same run. */
export const suite: Suite = {
  title: 'inference: one MNIST image a request, 64 connections, one process a server',
  async run(say) {
    const python = peerPython(PEER, say);
    const folder = await mkdtemp(join(tmpdir(), 'saip-bench-'));
    try {
      const audit = join(folder, 'audit');
      const setting: Setting = { model: await mnistModel(folder), key: await makeKey(), audit, python };
      const platform = contestant('platform', setting);
      const peer = await betterPeer(setting, say);
      const unrecorded = contestant(peer.kind, { ...setting, audit: undefined });
      say('the servers in turn');
      const raw = contestant('platform', { ...setting, model: withRawTensors(setting.model) });
      const [ours = [], binary = [], bare = [], empty = [], recorded = [], without = []] = await inTurn([
        platform,
        raw,
        contestant('bare', setting),
        contestant('empty', setting),
        peer,
        unrecorded,
      ]);
      say(processorTime({ 'an empty answer': empty, platform: ours, FastAPI: without }));
      say('with tokens that were never seen');
      const [oursFresh = [], peerFresh = []] = await inTurn([platform, peer], { fresh: true }, 2);
      say('one connection; a slow model; many requests');
      return [
        faster('requests a second, against FastAPI', ours, without, 5),
        faster('the same, FastAPI keeping an audit record', ours, recorded, 5),
        later('p99, against FastAPI', ours, without, 1 / 3),
        faster('each token never seen, against FastAPI', oursFresh, peerFresh, 2.5),
        faster('against a bare server without any check', ours, bare, 0.75),
        faster('the same with raw tensors', binary, bare, 1),
        await overheadFigure(setting),
        await batchFigure({ ...setting, model: await slowModel(folder) }),
        await memoryFigure(setting),
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Coroutine or thread pool: whichever answers more. */
async function betterPeer(setting: Setting, say: (line: string) => void): Promise<Contestant> {
  const coroutine = contestant('FastAPI, coroutine', setting);
  const threads = contestant('FastAPI, threads', setting);
  const [one, other] = [await coroutine.run({ seconds: 2 }), await threads.run({ seconds: 2 })];
  say(`FastAPI: ${Math.round(one.perSecond)}/s as a coroutine, ${Math.round(other.perSecond)}/s in threads`);
  return one.perSecond >= other.perSecond ? coroutine : threads;
}
