import { z } from 'zod';
import { API, Empty, fromPairs, Pairs, quote, tagFilter, toPairs, type Tags } from './common.ts';
import { isRefusal } from './errors.ts';
import type { RequestOptions, Transport } from './transport.ts';

const Version = z
  .object({
    name: z.string(),
    version: z.string(),
    source: z.string().default(''),
    run_id: z.string().default(''),
    tags: Pairs,
  })
  .transform(({ tags, run_id: runId, ...rest }) => ({ ...rest, runId, tags: fromPairs(tags) }));
export type MlflowModelVersion = Readonly<z.output<typeof Version>>;

const VersionAnswer = z.object({ model_version: Version });
const VersionsAnswer = z.object({ model_versions: z.array(Version).default([]) });
const ModelAnswer = z.object({ registered_model: z.object({ name: z.string() }) });
const AliasesAnswer = z.object({
  registered_model: z.object({
    aliases: z.array(z.object({ alias: z.string(), version: z.string() })).default([]),
  }),
});

export interface NewModelVersion {
  readonly name: string;
  /** `models:/<id of the logged model>`. */
  readonly source: string;
  readonly runId: string;
  readonly modelId: string;
  readonly description: string;
  /** What identifies the version: if one with these tags exists, it is taken. */
  readonly identity: Tags;
  readonly tags?: Tags;
}

/** MLflow's registry, which mirrors the platform's. Every method is idempotent and throws MlflowError. */
export class RegisteredModels {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  async ensureModel(name: string, description: string): Promise<void> {
    await this.#http.retrying(async () => {
      try {
        await this.#json(ModelAnswer, 'POST', '/registered-models/create', { name, description });
      } catch (error) {
        if (!isRefusal(error, 'RESOURCE_ALREADY_EXISTS')) throw error;
      }
    });
  }

  /** The version with this identity, made where there is none. */
  ensureVersion(version: NewModelVersion): Promise<MlflowModelVersion> {
    return this.#http.retrying(async () => {
      const [first, ...others] = await this.#find(version.name, version.identity);
      for (const { name, version: number } of others) {
        await this.#json(Empty, 'DELETE', '/model-versions/delete', { name, version: number });
      }
      return first ?? (await this.#createVersion(version));
    });
  }

  /** Versions with these tags, the first one first. */
  find(name: string, tags: Tags): Promise<MlflowModelVersion[]> {
    return this.#http.retrying(() => this.#find(name, tags));
  }

  async setVersionTag(name: string, version: string, key: string, value: string): Promise<void> {
    await this.#repeatable('POST', '/model-versions/set-tag', { name, version, key, value });
  }

  /** @param version MLflow's own number */
  async setAlias(name: string, alias: string, version: string): Promise<void> {
    await this.#repeatable('POST', '/registered-models/alias', { name, alias, version });
  }

  /** Nothing happens when there is no such alias. */
  async deleteAlias(name: string, alias: string): Promise<void> {
    await this.#repeatable('DELETE', '/registered-models/alias', { name, alias });
  }

  /** Alias → MLflow's own version number; none for a model that MLflow does not know. */
  async aliases(name: string): Promise<Record<string, string>> {
    const request = { method: 'GET', path: `${API}/registered-models/get`, query: { name } } as const;
    const answer = await this.#http.retrying(() => this.#optional(AliasesAnswer, request));
    return Object.fromEntries((answer?.registered_model.aliases ?? []).map(({ alias, version }) => [alias, version]));
  }

  async #find(name: string, tags: Tags): Promise<MlflowModelVersion[]> {
    const { model_versions: versions } = await this.#http.json(VersionsAnswer, {
      method: 'GET',
      path: `${API}/model-versions/search`,
      query: { filter: `name = ${quote(name)} AND ${tagFilter(tags)}`, max_results: '100' },
    });
    return versions.toSorted((a, b) => Number(a.version) - Number(b.version));
  }

  async #createVersion(version: NewModelVersion): Promise<MlflowModelVersion> {
    const answer = await this.#json(VersionAnswer, 'POST', '/model-versions/create', {
      name: version.name,
      source: version.source,
      run_id: version.runId,
      model_id: version.modelId,
      description: version.description,
      tags: toPairs({ ...version.tags, ...version.identity }),
    });
    return answer.model_version;
  }

  async #optional<T>(schema: z.ZodType<T>, request: RequestOptions): Promise<T | undefined> {
    try {
      return await this.#http.json(schema, request);
    } catch (error) {
      if (isRefusal(error, 'RESOURCE_DOES_NOT_EXIST')) return undefined;
      throw error;
    }
  }

  async #repeatable(method: 'POST' | 'DELETE', path: string, json: unknown): Promise<void> {
    await this.#http.retrying(() => this.#json(Empty, method, path, json));
  }

  #json<T>(schema: z.ZodType<T>, method: RequestOptions['method'], path: string, json: unknown): Promise<T> {
    return this.#http.json(schema, { method, path: API + path, json });
  }
}
