import { z } from 'zod';
import { API, fromPairs, Pairs, tagFilter, toPairs, type Tags } from './common.ts';
import type { Transport } from './transport.ts';

const LoggedModel = z
  .object({
    info: z.object({
      model_id: z.string(),
      status: z.string(),
      artifact_uri: z.string(),
      creation_timestamp_ms: z.coerce.number(),
      tags: Pairs,
    }),
  })
  .transform(({ info }) => ({
    modelId: info.model_id,
    status: info.status,
    artifactUri: info.artifact_uri,
    createdAt: info.creation_timestamp_ms,
    tags: fromPairs(info.tags),
  }));
export type LoggedModel = Readonly<z.output<typeof LoggedModel>>;

const ModelAnswer = z.object({ model: LoggedModel });
const ModelsAnswer = z.object({ models: z.array(LoggedModel).default([]) });

export interface NewLoggedModel {
  readonly experimentId: string;
  readonly name: string;
  /** E.g. `onnx`. */
  readonly type: string;
  readonly sourceRunId: string;
  /** What identifies the model: if one with these tags exists, it is taken. */
  readonly identity: Tags;
  readonly tags?: Tags;
  readonly params?: Tags;
}

/** Models as MLflow 3 keeps them: beside the run, with metrics and a place for files. Throws MlflowError. */
export class LoggedModels {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** The model with this identity, made where there is none; its status is `LOGGED_MODEL_PENDING` until `ready`. */
  ensure(model: NewLoggedModel): Promise<LoggedModel> {
    return this.#http.retrying(async () => {
      const [first, ...others] = await this.#find(model.experimentId, model.identity);
      for (const { modelId } of others) await this.#delete(modelId);
      return first ?? (await this.#create(model));
    });
  }

  /** Models with these tags, the first one first. */
  find(experimentId: string, tags: Tags): Promise<LoggedModel[]> {
    return this.#http.retrying(() => this.#find(experimentId, tags));
  }

  /** Its files are there. */
  async ready(modelId: string): Promise<void> {
    await this.#http.retrying(() =>
      this.#http.json(ModelAnswer, {
        method: 'PATCH',
        path: `${API}/logged-models/${encodeURIComponent(modelId)}`,
        json: { model_id: modelId, status: 'LOGGED_MODEL_READY' },
      }),
    );
  }

  async #find(experimentId: string, tags: Tags): Promise<LoggedModel[]> {
    const { models } = await this.#http.json(ModelsAnswer, {
      method: 'POST',
      path: `${API}/logged-models/search`,
      json: {
        experiment_ids: [experimentId],
        filter: tagFilter(tags),
        max_results: 50,
        order_by: [{ field_name: 'creation_timestamp', ascending: true }],
      },
    });
    return models;
  }

  async #create(model: NewLoggedModel): Promise<LoggedModel> {
    const answer = await this.#http.json(ModelAnswer, {
      method: 'POST',
      path: `${API}/logged-models`,
      json: {
        experiment_id: model.experimentId,
        name: model.name,
        model_type: model.type,
        source_run_id: model.sourceRunId,
        tags: toPairs({ ...model.tags, ...model.identity }),
        params: toPairs(model.params ?? {}),
      },
    });
    return answer.model;
  }

  async #delete(modelId: string): Promise<void> {
    const path = `${API}/logged-models/${encodeURIComponent(modelId)}`;
    await (await this.#http.send({ method: 'DELETE', path })).body?.cancel();
  }
}
