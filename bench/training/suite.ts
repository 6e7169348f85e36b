import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { prepare } from '../../lib/datasets/index.ts';
import type { Figure, Suite } from '../figure.ts';
import { peerPython } from '../peer-environment.ts';
import { compare } from './compare.ts';
import { peer, platform } from './contestants.ts';
import type { BenchData } from './contestants.ts';
import { NETWORKS } from './networks.ts';
import { presetFigures } from './presets.ts';

/** The wheel for this platform names the GPU libraries as requirements. */
const PEER = {
  name: 'training',
  lock: join(import.meta.dirname, 'requirements.lock'),
  what: 'PyTorch, about 5 GB,',
};
const MEMORY_LIMIT = 1.5 * 2 ** 30;
const RATIO_LIMIT = 2;

export const suite: Suite = {
  title: 'Training: the platform against PyTorch on the CPU, and what the presets reach',
  run: async (say) => {
    const root = await mkdtemp(join(tmpdir(), 'saip-bench-'));
    try {
      const store = new ArtifactStore({ root });
      const { manifest, manifestRef: ref } = await prepare({ dataset: 'mnist', seed: 42, validationShare: 0.1, store });
      const data: BenchData = { store, manifest, ref };
      return [...(await comparisonFigures(data, say)), ...(await presetFigures(data, say))];
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
};

async function comparisonFigures(data: BenchData, say: (line: string) => void): Promise<Figure[]> {
  const python = peerPython(PEER, say);
  const cores = availableParallelism();
  const threads = cores > 1 ? [1, cores] : [1];
  const figures: Figure[] = [];
  for (const network of NETWORKS) {
    const layouts = [platform(data, 1, 1), ...(cores > 1 ? [platform(data, 1, cores), platform(data, 2, 1)] : [])];
    const peers = threads.flatMap((count) => network.layouts.map((last) => peer(data, python, count, last)));
    const result = await compare(network, layouts, peers, say);
    const speeds = `${Math.round(result.oursPerSecond)} and ${Math.round(result.theirsPerSecond)} samples/s`;
    const rounds = result.ratios.map((ratio) => ratio.toFixed(2)).join(', ');
    figures.push(
      {
        what: `${network.title}: time, ratio to PyTorch`,
        measured: result.ratio.toFixed(2),
        target: `≤ ${RATIO_LIMIT.toFixed(1)}`,
        met: result.ratio <= RATIO_LIMIT,
        detail: `${result.ours} against ${result.theirs}: ${speeds}; rounds ${rounds}`,
      },
      {
        what: `${network.title}: memory of a training process`,
        measured: `${Math.round(result.peakRssBytes / 2 ** 20)} MiB`,
        target: `≤ ${MEMORY_LIMIT / 2 ** 20} MiB`,
        met: result.peakRssBytes <= MEMORY_LIMIT,
        detail: 'largest peak resident set',
      },
    );
  }
  return figures;
}
