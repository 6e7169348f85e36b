import { z } from 'zod';
import {
  API,
  chunks,
  Empty,
  fromPairs,
  MAX_PARAM_VALUE,
  MAX_PER_BATCH,
  Pairs,
  tagFilter,
  toPairs,
  type Tags,
} from './common.ts';
import { isRefusal } from './errors.ts';
import type { Transport } from './transport.ts';

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';

const Run = z
  .object({
    info: z.object({
      run_id: z.string(),
      experiment_id: z.string(),
      status: z.enum(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']),
      start_time: z.coerce.number(),
      end_time: z.coerce.number().optional(),
      artifact_uri: z.string(),
    }),
    data: z.object({ tags: Pairs }).default({ tags: [] }),
    outputs: z.object({ model_outputs: z.array(z.object({ model_id: z.string() })).default([]) }).optional(),
  })
  .transform(({ info, data, outputs }) => ({
    runId: info.run_id,
    experimentId: info.experiment_id,
    status: info.status,
    startTime: info.start_time,
    endTime: info.end_time,
    artifactUri: info.artifact_uri,
    tags: fromPairs(data.tags),
    models: (outputs?.model_outputs ?? []).map((output) => output.model_id),
  }));
/** Times are in milliseconds since the epoch. */
export type MlflowRun = Readonly<z.output<typeof Run>>;

const RunAnswer = z.object({ run: Run });
const RunsAnswer = z.object({ runs: z.array(Run).default([]) });
const ExperimentAnswer = z.object({ experiment: z.object({ experiment_id: z.string() }) });
const CreatedExperiment = z.object({ experiment_id: z.string() });

export interface NewRun {
  readonly experimentId: string;
  readonly name: string;
  /** Who asked for it. */
  readonly user: string;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  /** What identifies the run: if one with these tags exists, it is taken. */
  readonly identity: Tags;
  readonly tags?: Tags;
}

export interface Metric {
  readonly key: string;
  readonly value: number;
  /** Milliseconds since the epoch; must be the same at a retry, or the point is logged twice. */
  readonly timestamp: number;
  readonly step: number;
  /** Ties the value to a logged model and a data set. */
  readonly modelId?: string;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
}

export interface DatasetInput {
  readonly name: string;
  /** At most 36 characters; the rest of a longer digest is not kept by MLflow. */
  readonly digest: string;
  readonly sourceType: string;
  readonly source: unknown;
  readonly schema: unknown;
  readonly profile: unknown;
  /** E.g. `training`, `validation`, `testing`. */
  readonly context: string;
  readonly tags?: Tags;
}

/** Experiments and runs. Every method is idempotent and throws MlflowError. */
export class Runs {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** Id of the experiment of this name, made where there is none. */
  experiment(name: string): Promise<string> {
    return this.#http.retrying(
      async () => (await this.#experimentByName(name)) ?? (await this.#createExperiment(name)),
    );
  }

  /** The run with this identity, made where there is none. Of several, made by attempts that overlapped, the first one
   * stays. */
  ensure(run: NewRun): Promise<MlflowRun> {
    return this.#http.retrying(async () => {
      const [first, ...others] = await this.#find(run.experimentId, run.identity);
      for (const { runId } of others) await this.#post(Empty, '/runs/delete', { run_id: runId });
      return first ?? (await this.#create(run));
    });
  }

  get(runId: string): Promise<MlflowRun> {
    return this.#http.retrying(() => this.#get(runId));
  }

  /** Active runs with these tags, the first one first. */
  find(experimentId: string, tags: Tags): Promise<MlflowRun[]> {
    return this.#http.retrying(() => this.#find(experimentId, tags));
  }

  /** Parameters keep their first value: another one for the same name is refused. */
  async logParams(runId: string, params: Tags): Promise<void> {
    for (const part of chunks(toPairs(params, MAX_PARAM_VALUE), MAX_PER_BATCH.params)) {
      await this.#repeatable('/runs/log-batch', { run_id: runId, params: part });
    }
  }

  async setTags(runId: string, tags: Tags): Promise<void> {
    for (const part of chunks(toPairs(tags), MAX_PER_BATCH.tags)) {
      await this.#repeatable('/runs/log-batch', { run_id: runId, tags: part });
    }
  }

  async logMetrics(runId: string, metrics: readonly Metric[]): Promise<void> {
    for (const part of chunks(metrics, MAX_PER_BATCH.metrics)) {
      await this.#repeatable('/runs/log-batch', { run_id: runId, metrics: part.map(wireMetric) });
    }
  }

  async logInputs(runId: string, datasets: readonly DatasetInput[]): Promise<void> {
    await this.#repeatable('/runs/log-inputs', { run_id: runId, datasets: datasets.map(wireDataset) });
  }

  /** Names the run as the source of a logged model. */
  async logOutput(runId: string, modelId: string, step: number): Promise<void> {
    await this.#http.retrying(async () => {
      // MLflow answers a repetition with a violated constraint.
      if ((await this.#get(runId)).models.includes(modelId)) return;
      await this.#post(Empty, '/runs/outputs', { run_id: runId, models: [{ model_id: modelId, step }] });
    });
  }

  /** Ends the run; one that has this status already keeps its end. */
  async finish(runId: string, status: RunStatus, endTime: number = Date.now()): Promise<void> {
    if ((await this.get(runId)).status === status) return;
    await this.#repeatable('/runs/update', { run_id: runId, status, end_time: endTime });
  }

  async #get(runId: string): Promise<MlflowRun> {
    const request = { method: 'GET', path: `${API}/runs/get`, query: { run_id: runId } } as const;
    return (await this.#http.json(RunAnswer, request)).run;
  }

  async #experimentByName(name: string): Promise<string | undefined> {
    const request = {
      method: 'GET',
      path: `${API}/experiments/get-by-name`,
      query: { experiment_name: name },
    } as const;
    try {
      return (await this.#http.json(ExperimentAnswer, request)).experiment.experiment_id;
    } catch (error) {
      if (isRefusal(error, 'RESOURCE_DOES_NOT_EXIST')) return undefined;
      throw error;
    }
  }

  async #createExperiment(name: string): Promise<string> {
    try {
      return (await this.#post(CreatedExperiment, '/experiments/create', { name })).experiment_id;
    } catch (error) {
      // Another process made it meanwhile.
      const found = isRefusal(error, 'RESOURCE_ALREADY_EXISTS') ? await this.#experimentByName(name) : undefined;
      if (found === undefined) throw error;
      return found;
    }
  }

  async #find(experimentId: string, tags: Tags): Promise<MlflowRun[]> {
    const { runs } = await this.#post(RunsAnswer, '/runs/search', {
      experiment_ids: [experimentId],
      filter: tagFilter(tags),
      run_view_type: 'ACTIVE_ONLY',
      max_results: 100,
      order_by: ['attributes.start_time ASC', 'attributes.run_id ASC'],
    });
    return runs;
  }

  async #create(run: NewRun): Promise<MlflowRun> {
    const tags = { ...run.tags, ...run.identity, 'mlflow.user': run.user };
    const answer = await this.#post(RunAnswer, '/runs/create', {
      experiment_id: run.experimentId,
      run_name: run.name,
      start_time: run.startTime,
      tags: toPairs(tags),
    });
    return answer.run;
  }

  async #repeatable(path: string, json: unknown): Promise<void> {
    await this.#http.retrying(() => this.#post(Empty, path, json));
  }

  #post<T>(schema: z.ZodType<T>, path: string, json: unknown): Promise<T> {
    return this.#http.json(schema, { method: 'POST', path: API + path, json });
  }
}

function wireMetric({ key, value, timestamp, step, modelId, datasetName, datasetDigest }: Metric): unknown {
  return {
    key,
    value,
    timestamp,
    step,
    model_id: modelId,
    dataset_name: datasetName,
    dataset_digest: datasetDigest,
  };
}

function wireDataset({ name, digest, sourceType, source, schema, profile, context, tags }: DatasetInput): unknown {
  return {
    tags: toPairs({ ...tags, 'mlflow.data.context': context }),
    dataset: {
      name,
      digest: digest.slice(0, 36),
      source_type: sourceType,
      source: JSON.stringify(source),
      schema: JSON.stringify(schema),
      profile: JSON.stringify(profile),
    },
  };
}
