import type { RefusedRecord, ScoreCounts } from '../../contracts/batch-score.ts';
import { harden, rounded } from '../misuse/index.ts';
import { FeatureReader, type FeatureTensor } from './features.ts';
import { predictionsOf, spoken, type TableOutputs } from './predictions.ts';
import { shardRecords, type ShardRecord } from './records.ts';
import type { ShardJob, ShardProgress, ShardScore } from './score-in-child.ts';

/** Runs the model on the features of some records. */
export type Run = (
  inputs: Readonly<Record<string, FeatureTensor>>,
  fetches: readonly string[],
) => Promise<TableOutputs>;

export interface ShardSinks {
  readonly run: Run;
  /** Lines of JSON, in the order of their records. */
  readonly predicted: (lines: readonly string[]) => Promise<void>;
  readonly refused: (lines: readonly string[]) => Promise<void>;
  readonly progress: (progress: ShardProgress) => void;
}

type Job = Omit<ShardJob, 'graph' | 'predictions' | 'refused'>;
type Warning = { readonly feature: string; readonly message: string };

/** A record that the model is asked about. */
interface Asked {
  readonly record: number;
  readonly values: readonly (number | string)[];
  readonly warnings: readonly Warning[];
}

/** Records that go through the graph together. */
const BATCH = 1024;

/** Scores every record of a shard. What the model is not asked about is refused, with its line and why. */
export async function scoreShard(job: Job, sinks: ShardSinks): Promise<ShardScore> {
  const scorer = new ShardScorer(job, sinks);
  const features = new Map(job.facts.columns.map(({ kind, name }) => [name, kind === 'numeric'] as const));
  for (const record of shardRecords({ ...job, features })) {
    if (scorer.add(record)) await scorer.flush();
  }
  await scorer.flush();
  return scorer.score;
}

class ShardScorer {
  readonly #job: Job;
  readonly #sinks: ShardSinks;
  readonly #reader: FeatureReader;
  readonly #counts: { -readonly [K in keyof ScoreCounts]: number } = {
    records: 0,
    scored: 0,
    refused: 0,
    outOfRange: 0,
  };
  #output = '';
  #asked: Asked[] = [];
  #refused: RefusedRecord[] = [];

  constructor(job: Job, sinks: ShardSinks) {
    this.#job = job;
    this.#sinks = sinks;
    this.#reader = new FeatureReader(job.facts);
  }

  get score(): ShardScore {
    const { records, scored, refused } = this.#counts;
    const first = this.#output === '' ? '' : `, the first ${this.#output}`;
    return { counts: { ...this.#counts }, output: `${scored} of ${records} records${first}; ${refused} refused` };
  }

  /** @returns whether enough records wait */
  add(read: ShardRecord): boolean {
    const record = this.#job.record + this.#counts.records;
    this.#counts.records += 1;
    const asked = 'problem' in read ? `The record ${read.problem}.` : this.#ask(record, read.record);
    if (typeof asked === 'string') this.#refused.push({ record, line: read.line, reason: asked });
    else this.#asked.push(asked);
    return this.#asked.length + this.#refused.length >= BATCH;
  }

  /** Lets the model answer what waits. */
  async flush(): Promise<void> {
    const [asked, refused] = [this.#asked, this.#refused];
    [this.#asked, this.#refused] = [[], []];
    this.#counts.refused += refused.length;
    this.#counts.scored += asked.length;
    this.#counts.outOfRange += asked.filter(({ warnings }) => warnings.length > 0).length;
    await this.#sinks.refused(refused.map((one) => JSON.stringify(one)));
    if (asked.length > 0) await this.#sinks.predicted(await this.#answer(asked));
    this.#sinks.progress({ done: this.#counts.records });
  }

  #ask(record: number, features: Parameters<FeatureReader['read']>[0]): Asked | string {
    const warnings: Warning[] = [];
    const values = this.#reader.read(features, (feature, message) => warnings.push({ feature, message }));
    if (!Array.isArray(values)) return `${JSON.stringify(values.feature)}: ${values.problem}.`;
    const [first] = warnings;
    if (first === undefined || !this.#job.refuseOutOfRange) return { record, values, warnings };
    return `${JSON.stringify(first.feature)}: ${first.message}.`;
  }

  async #answer(asked: readonly Asked[]): Promise<string[]> {
    const { facts, hardening, version } = this.#job;
    const fetches = facts.target === undefined ? ['probabilities', 'label'] : ['prediction'];
    const outputs = await this.#sinks.run(this.#reader.tensors(asked.map(({ values }) => values)), fetches);
    const predictions = predictionsOf(facts, this.#hardened(outputs));
    if (this.#output === '') this.#output = spoken(predictions[0]);
    const { decimals } = hardening;
    // Numbers of single precision have more digits in JSON than they were rounded to.
    const replacer = decimals === undefined ? undefined : roundedTo(decimals);
    return asked.map(({ record, warnings }, at) =>
      JSON.stringify({ record, version, ...predictions[at], ...(warnings.length > 0 && { warnings }) }, replacer),
    );
  }

  #hardened(outputs: TableOutputs): TableOutputs {
    const { facts, hardening } = this.#job;
    return Object.fromEntries(
      Object.entries(outputs).map(([name, output]) => {
        if (!(output?.data instanceof Float32Array)) return [name, output];
        const width = facts.target === undefined ? facts.labels.length : 1;
        return [name, { data: harden(output.data, width, hardening) }];
      }),
    );
  }
}

function roundedTo(decimals: number): (key: string, value: unknown) => unknown {
  return (_key, value) => (typeof value === 'number' ? rounded(value, decimals) : value);
}
