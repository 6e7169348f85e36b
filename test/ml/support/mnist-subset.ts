import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PreparedManifest } from '../../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../../contracts/reference.ts';
import { ArtifactStore } from '../../../lib/artifacts/index.ts';
import { prepare } from '../../../lib/datasets/index.ts';

export interface Fixture {
  readonly store: ArtifactStore;
  readonly manifest: PreparedManifest;
  readonly ref: ArtifactRef;
  dispose(): Promise<void>;
}

const COUNTS = { train: 1500, validation: 250, test: 250 } as const;

/** The first samples of each split of the real MNIST, in a store of its own. */
export async function mnistSubset(): Promise<Fixture> {
  const root = await mkdtemp(join(tmpdir(), 'saip-test-'));
  const store = new ArtifactStore({ root });
  const { manifest: whole } = await prepare({ dataset: 'mnist', seed: 1, validationShare: 0.1, store });
  const splits = { ...whole.splits };
  for (const name of ['train', 'validation', 'test'] as const) {
    const { x, y } = whole.splits[name];
    const count = COUNTS[name];
    splits[name] = { x: await cut(store, x, count * 784), y: await cut(store, y, count * 4), count };
  }
  const manifest = { ...whole, splits };
  return { store, manifest, ref: await store.putJson(manifest), dispose: () => rm(root, { recursive: true }) };
}

async function cut(store: ArtifactStore, ref: ArtifactRef, bytes: number): Promise<ArtifactRef> {
  return store.put((await store.read(ref)).subarray(0, bytes), { mediaType: ref.mediaType });
}
