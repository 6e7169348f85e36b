import type { ModelCard } from '../../../contracts/import-model.ts';
import { columnsOf as tableColumnsOf, regressionOf } from '../../../contracts/prepared-data.ts';
import type { PreparedColumn, PreparedManifest } from '../../../contracts/prepared-data.ts';
import type { ArtifactStore } from '../../artifacts/index.ts';
import { HeavyError, runChild } from '../../heavy/index.ts';
import { OnnxError } from '../errors.ts';
import { PARITY_TOLERANCE } from '../parity.ts';
import type { OnnxProgress } from '../run.ts';
import { columnsOf, sampleShape } from './adapt.ts';
import type { Conventions } from './conventions.ts';

export type CompareProgress = OnnxProgress;

/** What crosses to the child. */
export interface CompareJob extends Conventions {
  readonly served: string;
  readonly bare: string;
  readonly samples: string;
  readonly dtype: 'uint8' | 'float32';
  readonly count: number;
  /** Columns of a table, whose stored rows are turned into what either graph takes. */
  readonly table: readonly PreparedColumn[] | undefined;
  /** Largest difference that arithmetic in another order explains. */
  readonly tolerance: number;
  /** Of one sample, as the bare graph takes it; not used where it takes named features. */
  readonly taken: readonly number[];
  readonly labels: readonly string[];
}

export interface ComparedGraphs {
  /** Of the served graph: probabilities, row-major [samples, classes], or quantities [samples]. */
  readonly answers: Float32Array;
  /** Largest difference of an answer between the two graphs. */
  readonly maxAbsDifference: number;
  /** Samples whose class, by the graph's own word, is the most probable one. */
  readonly labelled: number;
}

export interface CompareOptions {
  readonly card: ModelCard;
  readonly manifest: PreparedManifest;
  /** Paths of what `adaptModel` wrote. */
  readonly graphs: { readonly served: string; readonly bare: string };
  readonly store: Pick<ArtifactStore, 'path'>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CompareProgress) => void;
}

/** What an imported graph may take for batches of 250 samples, loaded twice. */
const MEMORY_BYTES = 3 * 2 ** 30;
/** Share of the test set whose class, by the graph's own word, may be another: ties that rounding decides. */
const MOST_DIFFERENT = 0.002;

/**
 * Predicts the whole test split with the wrapped graph and with the graph as it was sent, whose samples are then
 * prepared outside of it; in a child process of limited memory. Both must say the same, every row must be probabilities
 * or a finite quantity, no answer may depend on the samples beside it, and the graph's own class must be the most probable one.
 *
 * @throws OnnxError MODEL_DISAGREES naming what; MODEL_LOAD_FAILED; MODEL_GRAPH_TOO_LARGE where memory runs out;
 * HeavyError; the store's errors
 */
export async function compareGraphs(o: CompareOptions): Promise<ComparedGraphs & { readonly samples: number }> {
  const { card, manifest, graphs, store } = o;
  const { input, labels, splits } = manifest;
  const regression = regressionOf(manifest);
  const job: CompareJob = {
    ...graphs,
    table: tableColumnsOf(manifest),
    tolerance: PARITY_TOLERANCE * (regression ? Math.max(regression.scale, Math.abs(regression.mean)) : 1),
    samples: await store.path(splits.test.x),
    dtype: input.dtype,
    count: splits.test.count,
    shape: input.shape,
    taken: card.input.layout === 'columns' ? [] : sampleShape(card, input.shape),
    input: card.input,
    kind: card.output.kind,
    columns: columnsOf(card, labels),
    labels,
  };
  const compared = await inChild(job, o);
  // Written so that NaN fails too.
  if (!(compared.maxAbsDifference <= job.tolerance)) {
    const message = `the wrapped graph's answers differ by ${compared.maxAbsDifference} from those of the file`;
    throw new OnnxError('MODEL_DISAGREES', message, { field: 'card.input' });
  }
  const different = job.count - compared.labelled;
  if (different > MOST_DIFFERENT * job.count) {
    const message = `the graph gives ${different} of ${job.count} test samples another class than the most probable one`;
    throw new OnnxError('MODEL_DISAGREES', message, { field: 'card.output.label' });
  }
  return { ...compared, samples: job.count };
}

async function inChild(job: CompareJob, { signal, onProgress }: CompareOptions): Promise<ComparedGraphs> {
  try {
    return await runChild<ComparedGraphs, CompareProgress>({
      entry: new URL('child.ts', import.meta.url),
      input: job,
      memoryBytes: MEMORY_BYTES,
      onReport: onProgress,
      signal,
    });
  } catch (error) {
    if (!(error instanceof HeavyError) || error.code !== 'DEVICE_OUT_OF_MEMORY') throw error;
    const message = `predicting takes more than ${MEMORY_BYTES / 2 ** 20} MiB`;
    throw new OnnxError('MODEL_GRAPH_TOO_LARGE', message, { cause: error, field: 'model' });
  }
}
