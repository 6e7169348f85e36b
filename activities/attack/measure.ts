import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { AttackShard, AttackTarget, CpuActivities } from '../../contracts/activities.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import { AdversaryError, batchCount, BatchResult, measurementDigest, summarise } from '../../lib/adversary/index.ts';
import type { ServedLabels } from '../../lib/adversary/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { AttackLog } from '../../lib/clients/index.ts';
import { predictOnnx } from '../../lib/onnx/index.ts';

export interface MeasureDependencies {
  readonly store: ArtifactStore;
  readonly attacks: Pick<AttackLog, 'append' | 'baseline'>;
}

type MeasureActivities = Pick<CpuActivities, 'attackBaseline' | 'summariseAttack' | 'recordAttack'>;

export function measureActivities({ store, attacks }: MeasureDependencies): MeasureActivities {
  const digestOf = async (
    target: AttackTarget,
    measurement: Parameters<typeof measurementDigest>[0],
  ): Promise<string> => measurementDigest(measurement, await store.readJson(target.manifest, PreparedManifest));
  return {
    async attackBaseline({ target, measurement }) {
      const { model, digest } = target;
      const configSha256 = await digestOf(target, measurement);
      const baseline = await attacks.baseline({ model, digest, configSha256 });
      return { configSha256, batches: batchCount(measurement.samples), baseline };
    },

    /** Heartbeats after each batch of the graph's predictions. */
    async summariseAttack({ target, measurement, shards }) {
      const manifest = await store.readJson(target.manifest, PreparedManifest);
      const batches = await readBatches(store, shards);
      const served: ServedLabels[] = [];
      for (const { examples, trials, indices } of batches) {
        const { labels } = await predictOnnx({
          onnx: target.onnx,
          samples: examples,
          shape: manifest.input.shape,
          dtype: 'float32',
          count: (1 + trials.length) * indices.length,
          store,
          signal: cancellationSignal(),
          onProgress: heartbeat,
        });
        served.push(labels);
      }
      const measured = summarise(measurement, batches, served);
      checkAgreement(batches, served);
      return { configSha256: measurementDigest(measurement, manifest), measured };
    },

    async recordAttack({ run, target, configSha256, measurement, measured }) {
      const { model, version, digest } = target;
      if (version === undefined)
        throw new AdversaryError('ATTACK_INPUT_INVALID', 'a candidate has no version to record');
      const result = { model, version, digest, configSha256, measurement, measured };
      await attacks.append({ ...result, workflowId: run.key, runId: run.runId });
    },
  };
}

export async function readBatches(store: ArtifactStore, shards: readonly AttackShard[]): Promise<BatchResult[]> {
  return Promise.all(shards.flatMap(({ batches }) => batches).map((ref) => store.readJson(ref, BatchResult)));
}

/** Most of the unchanged samples that network and graph may put into different classes: ties within rounding. */
const MOST_DIFFERENT = 0.002;

/** @throws AdversaryError ATTACK_INPUT_INVALID: gradients of another function would say nothing about what is served */
function checkAgreement(batches: readonly BatchResult[], served: readonly ServedLabels[]): void {
  const samples = batches.reduce((total, { clean }) => total + clean.length, 0);
  const different = batches.reduce(
    (total, { clean }, index) => total + clean.filter((label, i) => served[index]?.[i] !== label).length,
    0,
  );
  if (different <= MOST_DIFFERENT * samples) return;
  throw new AdversaryError(
    'ATTACK_INPUT_INVALID',
    `the served graph puts ${different} of ${samples} unchanged samples into other classes than the attacked network`,
    { field: 'target' },
  );
}
