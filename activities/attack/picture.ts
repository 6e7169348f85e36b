import type { AttackReportRequest } from '../../contracts/activities.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import { rangeOf } from '../../lib/adversary/index.ts';
import type { BatchResult } from '../../lib/adversary/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { readFloat32 } from '../../lib/datasets/index.ts';
import { examplePicture, isPicture } from '../../lib/evaluation/index.ts';
import type { ExampleRow } from '../../lib/evaluation/index.ts';
import { readBatches } from './measure.ts';

/** Which sample is shown, under which trial of the measurement. */
interface Choice {
  readonly batch: number;
  readonly row: number;
  readonly trial: number;
}

/**
 * The picture of the report: one sample of which the attacked version was right until the strongest attack at the
 * goal's ε, and below it the worst that was found for the same sample with each hardened version.
 *
 * @returns SVG, or undefined for samples that are no pictures
 */
export async function pictureOf(request: AttackReportRequest, store: ArtifactStore): Promise<string | undefined> {
  const { versions, attacked, hardened, goal } = request;
  const results = await Promise.all(versions.map(({ shards }) => readBatches(store, shards)));
  const manifest = await manifestOf(request, store);
  const choice = choose(results[0] ?? [], goal.epsilon);
  if (choice === undefined || !isPicture(manifest.input.shape)) return undefined;
  const { shape, dtype } = manifest.input;
  const rows: ExampleRow[] = [];
  for (const [index, { version }] of [attacked, ...hardened].entries()) {
    const batch = results[index]?.[choice.batch];
    if (batch === undefined) continue;
    rows.push(await exampleRow({ version, batch, choice, labels: manifest.labels, store, size: sizeOf(shape) }));
  }
  return examplePicture({
    title: `${versions[0]?.target.model} under attack`,
    shape,
    range: rangeOf(dtype),
    rows,
  });
}

function manifestOf({ versions }: AttackReportRequest, store: ArtifactStore): Promise<PreparedManifest> {
  const target = versions[0]?.target;
  if (target === undefined) throw new TypeError('an attack reports on at least one version');
  return store.readJson(target.manifest, PreparedManifest);
}

/** The first sample that only the attack broke; where there is none, the first sample. The last attack is the strongest. */
function choose(batches: readonly BatchResult[], epsilon: number): Choice | undefined {
  const trial = batches[0]?.trials.findLastIndex((candidate) => candidate.epsilon === epsilon) ?? -1;
  if (trial === -1) return undefined;
  for (const { batch, labels, clean, trials } of batches) {
    const row = labels.findIndex((label, i) => clean[i] === label && trials[trial]?.predicted[i] !== label);
    if (row !== -1) return { batch, row, trial };
  }
  return { batch: 0, row: 0, trial };
}

interface RowOptions {
  readonly version: string;
  readonly batch: BatchResult;
  readonly choice: Choice;
  readonly labels: readonly string[];
  readonly store: ArtifactStore;
  readonly size: number;
}

async function exampleRow(o: RowOptions): Promise<ExampleRow> {
  const { batch, choice, labels } = o;
  const { row, trial } = choice;
  const { attack, epsilon, predicted } = batch.trials[trial] as BatchResult['trials'][number];
  const examples = await readFloat32(await o.store.path(batch.examples));
  const at = (block: number): Float32Array => {
    const begin = (block * batch.indices.length + row) * o.size;
    return examples.subarray(begin, begin + o.size);
  };
  const name = (label: number | undefined): string => labels[label ?? -1] ?? String(label);
  return {
    title: `version ${o.version}, ${attack} at ε = ${epsilon}, test sample ${batch.indices[row]}`,
    original: at(0),
    adversarial: at(trial + 1),
    epsilon,
    truth: name(batch.labels[row]),
    before: name(batch.clean[row]),
    after: name(predicted[row]),
  };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
