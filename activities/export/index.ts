import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { readFloat32 } from '../../lib/datasets/index.ts';
import { checkParity, exportOnnx } from '../../lib/onnx/index.ts';

export interface ExportDependencies {
  readonly store: ArtifactStore;
}

export function createExportActivities({ store }: ExportDependencies): Pick<CpuActivities, 'exportOnnx'> {
  return {
    /** Heartbeats after each batch of the comparison. */
    async exportOnnx({ model, data, weights, logits }) {
      const manifest = await store.readJson(data.manifest, PreparedManifest);
      const bytes = exportOnnx({
        model,
        weights: await store.read(weights),
        manifest,
        dataSha256: data.dataSha256,
      });
      const onnx = await store.put(bytes, { mediaType: 'application/onnx' });
      const parity = await checkParity({
        onnx,
        manifest,
        store,
        logits: await readFloat32(await store.path(logits)),
        signal: cancellationSignal(),
        onProgress: (progress) => heartbeat(progress),
      });
      return { onnx, ...parity };
    },
  };
}
