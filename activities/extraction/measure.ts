import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { CpuActivities, ExtractionShard } from '../../contracts/activities.ts';
import type { Extraction, ExtractionPoint } from '../../contracts/extraction.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import { AdversaryError, extractionBudgets } from '../../lib/adversary/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { ExtractionLog } from '../../lib/clients/index.ts';
import { readInt32 } from '../../lib/datasets/index.ts';
import { share } from '../../lib/evaluation/index.ts';
import { extractionDigest, halve, substituteFor, SubstituteResult } from '../../lib/ml/index.ts';
import { predictOnnx } from '../../lib/onnx/index.ts';

export interface MeasureDependencies {
  readonly store: ArtifactStore;
  readonly extractions: Pick<ExtractionLog, 'append'>;
}

type MeasureActivities = Pick<CpuActivities, 'summariseExtraction' | 'recordExtraction'>;

export function measureActivities({ store, extractions }: MeasureDependencies): MeasureActivities {
  return {
    /** Heartbeats after each batch of the graph's predictions. */
    async summariseExtraction({ target, extraction, threshold, shards }) {
      const manifest = await store.readJson(target.manifest, PreparedManifest);
      const { test } = manifest.splits;
      const { own, unseen } = halve(test.count, extraction);
      const answers = await predictOnnx({
        ...{ onnx: target.onnx, samples: test.x, count: test.count, store },
        ...{ shape: manifest.input.shape, dtype: manifest.input.dtype },
        signal: cancellationSignal(),
        onProgress: heartbeat,
      });
      const truths = await readInt32(await store.path(test.y));
      const pick = (of: Int32Array): Int32Array => Int32Array.from(unseen, (index) => of[index] ?? -1);
      const against = { model: pick(answers.labels), truth: pick(truths), seed: extraction.seed };
      const substitutes = await readAll(store, extraction, shards);
      const curve = {
        points: substitutes.map((substitute) => pointOf(substitute, against)),
        evaluated: unseen.length,
        ownSamples: own.length,
        substitute: substitutes[0]?.substitute ?? '',
        modelAccuracy: agreement(against.model, against.truth, extraction.seed),
        deviceClass: [...new Set(substitutes.map(({ deviceClass }) => deviceClass))].join(', '),
      };
      const configSha256 = extractionDigest(extraction, manifest, substituteFor(extraction, target));
      return { configSha256, curve, budgets: extractionBudgets(curve, threshold) };
    },

    async recordExtraction({ run, target, configSha256, extraction, curve, mlflowRunId }) {
      const { model, version, digest } = target;
      if (version === undefined)
        throw new AdversaryError('ATTACK_INPUT_INVALID', 'a candidate has no version to record');
      const record = { model, version, digest, configSha256, extraction, curve, mlflowRunId };
      await extractions.append({ ...record, workflowId: run.key, runId: run.runId });
    },
  };
}

/** @throws AdversaryError ATTACK_INPUT_INVALID where a substitute is missing or another's */
async function readAll(
  store: ArtifactStore,
  { queries, answers }: Extraction,
  shards: readonly ExtractionShard[],
): Promise<SubstituteResult[]> {
  const refs = shards.flatMap(({ points }) => points);
  const all = await Promise.all(refs.map((ref) => store.readJson(ref, SubstituteResult)));
  const wanted = answers.flatMap((kind) => queries.map((count) => `${kind} ${count}`));
  if (wanted.join() === all.map((substitute) => `${substitute.answers} ${substitute.queries}`).join()) return all;
  throw new AdversaryError('ATTACK_INPUT_INVALID', 'the substitutes are not those of this measurement', {
    field: 'shards',
  });
}

interface Compared {
  /** Classes of the unseen samples, as the model and as the data set have them. */
  readonly model: Int32Array;
  readonly truth: Int32Array;
  readonly seed: number;
}

function pointOf(
  { answers, queries, made, predicted, seconds }: SubstituteResult,
  { model, truth, seed }: Compared,
): ExtractionPoint {
  const own = Int32Array.from(predicted);
  return {
    answers,
    queries,
    made: made?.count ?? 0,
    fidelity: agreement(own, model, seed),
    accuracy: agreement(own, truth, seed),
    seconds,
  };
}

function agreement(one: Int32Array, other: Int32Array, seed: number): ExtractionPoint['fidelity'] {
  if (one.length !== other.length) {
    throw new AdversaryError('ATTACK_INPUT_INVALID', 'a substitute was measured on other samples', { field: 'shards' });
  }
  return share(
    Uint8Array.from(one, (label, index) => Number(label === other[index])),
    { seed },
  );
}
