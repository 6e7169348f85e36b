import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { readFloat32 } from '../../lib/datasets/index.ts';
import { evaluate } from '../../lib/evaluation/index.ts';
import { adaptOnnx, compareGraphs, scanOnnx } from '../../lib/onnx/index.ts';
import { storePictures } from '../evaluation/index.ts';

export interface ImportDependencies {
  readonly store: ArtifactStore;
}

type ImportActivities = Pick<CpuActivities, 'scanImport' | 'adaptImport' | 'evaluateImport'>;

/**
 * Smallest probability whose logarithm is taken: the spacing of float32 at 1, as scikit-learn does. A forest may be
 * certain, and wrong.
 */
const LEAST = 2 ** -23;

/** Models from elsewhere. Their files are decoded and run in children of limited memory, never here. */
export function createImportActivities({ store }: ImportDependencies): ImportActivities {
  return {
    async scanImport({ file }) {
      return scanOnnx(await store.path(file), { signal: cancellationSignal(), onProgress: heartbeat });
    },

    /** Heartbeats after each batch of the comparison. */
    async adaptImport({ file, card, data }) {
      const manifest = await store.readJson(data.manifest, PreparedManifest);
      const { input, labels } = manifest;
      const table = manifest.version === 2 ? { columns: manifest.columns, missing: manifest.missing } : undefined;
      const signal = cancellationSignal();
      const served = { input: input.name, shape: input.shape, labels, table };
      return adaptOnnx(
        await store.path(file),
        { card, served },
        async (graphs) => {
          const compared = await compareGraphs({ card, manifest, graphs, store, signal, onProgress: heartbeat });
          const { maxAbsDifference, answers, samples } = compared;
          const quantity = card.output.kind === 'quantity';
          const logits = quantity ? answers : answers.map((value) => Math.log(Math.max(value, LEAST)));
          return {
            onnx: await store.putFile(graphs.served, { mediaType: 'application/onnx' }),
            maxAbsDifference,
            samples,
            logits: await store.put(new Uint8Array(logits.buffer), { mediaType: 'application/octet-stream' }),
          };
        },
        { signal, onProgress: heartbeat },
      );
    },

    async evaluateImport({ registerAs, data, adapted, seed }) {
      const manifest = await store.readJson(data.manifest, PreparedManifest);
      const { report, pictures } = await evaluate({
        manifest,
        store,
        model: registerAs,
        logits: await readFloat32(await store.path(adapted.logits)),
        history: '',
        seed,
        signal: cancellationSignal(),
        onProgress: heartbeat,
      });
      return {
        summary: report.summary,
        report: await store.putJson(report),
        logits: adapted.logits,
        plots: await storePictures(store, pictures),
      };
    },
  };
}
