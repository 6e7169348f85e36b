import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { EvaluatedModel, GpuActivities } from '../../contracts/activities.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { evaluate } from '../../lib/evaluation/index.ts';
import type { EvaluationOutput } from '../../lib/evaluation/index.ts';
import { computeLogits } from '../../lib/ml/index.ts';

export interface EvaluationDependencies {
  readonly store: ArtifactStore;
  /** Threads of the child that computes the logits; default: the plan for the device. */
  readonly threads?: number;
}

/** Predictions need the device, metrics and pictures do not; both run in children, one after the other. */
export function createEvaluationActivities({
  store,
  threads,
}: EvaluationDependencies): Pick<GpuActivities, 'evaluateModel'> {
  return {
    async evaluateModel({ model, data, trained, seed }): Promise<EvaluatedModel> {
      const manifest = await store.readJson(data.manifest, PreparedManifest);
      const common = { manifest, store, signal: cancellationSignal() };
      const logits = await computeLogits({
        ...common,
        model,
        weights: trained.weights,
        split: 'test',
        threads,
        onProgress: (samples) => heartbeat({ stage: 'predictions', samples }),
      });
      const { report, pictures } = await evaluate({
        ...common,
        model: model.name,
        logits,
        history: (await store.read(trained.history)).toString('utf8'),
        seed,
        onProgress: heartbeat,
      });
      return {
        summary: report.summary,
        report: await store.putJson(report),
        logits: await store.put(bytesOf(logits), { mediaType: 'application/octet-stream' }),
        plots: await storePictures(store, pictures),
      };
    },
  };
}

/** @returns file name → SVG or PNG */
export async function storePictures(
  store: ArtifactStore,
  pictures: EvaluationOutput['pictures'],
): Promise<Record<string, ArtifactRef>> {
  const plots: Record<string, ArtifactRef> = {};
  for (const [name, { svg, png }] of Object.entries(pictures)) {
    plots[`${name}.svg`] = await store.put(Buffer.from(svg), { mediaType: 'image/svg+xml' });
    plots[`${name}.png`] = await store.put(png, { mediaType: 'image/png' });
  }
  return plots;
}

/** Little-endian, as are the platforms that the native addons exist for. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
