import { z } from 'zod';
import { Sha256, type ArtifactRef } from '../../contracts/reference.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { MlflowClient } from '../../lib/clients/index.ts';
import type { RunRecord } from './parameters.ts';

/** Path → artifact. */
export type Files = Readonly<Record<string, ArtifactRef>>;

export interface UploadOptions {
  readonly mlflow: MlflowClient;
  readonly store: Pick<ArtifactStore, 'path'>;
  readonly artifactUri: string;
  readonly files: Files;
  /** Called before each file. */
  readonly onFile?: (path: string) => void;
}

const MANIFEST = 'digests.json';
const Digests = z.record(z.string(), Sha256);

/** What the run's page shows besides its numbers. */
export async function filesOf(record: RunRecord, store: Pick<ArtifactStore, 'putJson'>): Promise<Files> {
  const { model, training, seed, dataset, card, data, trained, evaluated } = record;
  return {
    'config.json': await store.putJson({ dataset, seed, model, training }),
    'data/card.json': card,
    'data/manifest.json': data.manifest,
    'training/history.ndjson': trained.history,
    'training/weights.safetensors': trained.weights,
    'evaluation/report.json': evaluated.report,
    ...Object.fromEntries(Object.entries(evaluated.plots).map(([name, ref]) => [`evaluation/${name}`, ref])),
  };
}

/**
 * Uploads the files, each verified against its digest on the way, and last a list of the digests: where an earlier
 * attempt left the same list, everything is there.
 * @throws MlflowError, ArtifactError
 */
export async function uploadFiles({ mlflow, store, artifactUri, files, onFile }: UploadOptions): Promise<void> {
  const digests = Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256]));
  if (sameDigests(await mlflow.artifacts.download(artifactUri, MANIFEST), digests)) return;
  for (const [path, ref] of Object.entries(files)) {
    onFile?.(path);
    await mlflow.artifacts.uploadFile(artifactUri, path, { ...ref, path: await store.path(ref) });
  }
  const list = new Blob([JSON.stringify(digests, undefined, 2)], { type: 'application/json' });
  await mlflow.artifacts.upload(artifactUri, MANIFEST, list);
}

function sameDigests(stored: Buffer | undefined, wanted: Record<string, string>): boolean {
  if (stored === undefined) return false;
  try {
    const found = Digests.parse(JSON.parse(stored.toString('utf8')));
    const paths = Object.keys(wanted);
    return Object.keys(found).length === paths.length && paths.every((path) => found[path] === wanted[path]);
  } catch {
    // A list that cannot be read is written anew.
    return false;
  }
}
