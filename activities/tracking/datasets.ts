import { columnsOf, regressionOf } from '../../contracts/prepared-data.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { DatasetInput } from '../../lib/clients/index.ts';
import type { RunRecord } from './parameters.ts';

/** Split → context, in MLflow's words. */
const CONTEXTS = { train: 'training', validation: 'validation', test: 'testing' } as const;
export type SplitName = keyof typeof CONTEXTS;

/** Longest digest that MLflow keeps; the whole one is in the tags and the source. */
const DIGEST_LENGTH = 36;

/** Name and digest under which a split is known to MLflow. */
export function datasetKey(manifest: PreparedManifest, split: SplitName): { name: string; digest: string } {
  return { name: `${manifest.dataset}/${split}`, digest: manifest.splits[split].x.sha256.slice(0, DIGEST_LENGTH) };
}

/** The splits as inputs of the run, each with the digests of the data card and of its samples. */
export function datasetInputs(
  { card, data }: Pick<RunRecord, 'card' | 'data'>,
  manifest: PreparedManifest,
): DatasetInput[] {
  const { dataset, seed, validationShare, input, splits } = manifest;
  const regression = regressionOf(manifest);
  const columns = columnsOf(manifest);
  const stored = columns === undefined ? input.shape : [columns.length];
  return (Object.keys(CONTEXTS) as SplitName[]).map((split) => ({
    ...datasetKey(manifest, split),
    sourceType: 'croissant',
    source: {
      dataset,
      card: card.uri,
      dataSha256: data.dataSha256,
      split,
      seed,
      validationShare,
      samples: splits[split].x.uri,
    },
    schema: {
      mlflow_tensorspec: {
        features: tensor(input.dtype, [-1, ...stored], input.name),
        targets: regression ? tensor('float32', [-1], regression.name) : tensor('int32', [-1], 'label'),
      },
    },
    profile: {
      num_rows: splits[split].count,
      ...(regression === undefined && { num_classes: manifest.labels.length }),
    },
    context: CONTEXTS[split],
    tags: {
      'saip.data.card.sha256': data.cardSha256,
      'saip.data.sha256': data.dataSha256,
      'saip.samples.sha256': splits[split].x.sha256,
    },
  }));
}

/** Digests of the artifacts that {@link datasetInputs} name by their URI. */
export function heldDigests({ card }: Pick<RunRecord, 'card'>, { splits }: PreparedManifest): string[] {
  return [card, ...Object.values(splits).map(({ x }) => x)].map(({ sha256 }) => sha256);
}

function tensor(dtype: string, shape: readonly number[], name: string): string {
  return JSON.stringify([{ name, type: 'tensor', 'tensor-spec': { dtype, shape } }]);
}
