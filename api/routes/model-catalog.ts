import type { AliasList, ModelDetail, ModelVersionView } from '../../contracts/api.ts';
import type { AliasLog, ModelRegistry, ServingStatus } from '../../lib/clients/index.ts';
import { ApiError } from '../errors.ts';

export interface ModelSources {
  readonly registry: Pick<ModelRegistry, 'models' | 'model' | 'versions' | 'get'>;
  readonly aliases: Pick<AliasLog, 'live' | 'liveAt' | 'history'>;
  readonly serving: Pick<ServingStatus, 'reports'>;
}

type AliasView = AliasList['aliases'][number];

/** Joins what the registry, the alias log and the API processes say about a model. */
export class ModelCatalog {
  readonly #sources: ModelSources;

  constructor(sources: ModelSources) {
    this.#sources = sources;
  }

  /** @throws MODEL_UNKNOWN */
  async detail(name: string): Promise<ModelDetail> {
    const model = await this.#sources.registry.model(name);
    const [[latest], aliases] = await Promise.all([this.versions(name, { limit: 1 }), this.aliases(name)]);
    if (!latest) throw new ApiError('MODEL_UNKNOWN', `No model ${name} is registered.`);
    return { ...model, latest, champion: aliases.find(({ alias }) => alias === 'champion') };
  }

  /** Newest first, each with the aliases that mean it. @throws MODEL_UNKNOWN */
  async versions(name: string, page: { before?: string; limit: number }): Promise<ModelVersionView[]> {
    const { registry } = this.#sources;
    const [{ aliases }, versions] = await Promise.all([registry.model(name), registry.versions(name, page)]);
    return versions.map((version) => ({
      ...version,
      aliases: Object.keys(aliases).filter((alias) => aliases[alias] === version.version),
    }));
  }

  async aliases(name: string): Promise<AliasView[]> {
    const { aliases, serving } = this.#sources;
    const live = await aliases.live(name);
    return Promise.all(
      live.map(async ({ model, ...alias }) => ({ ...alias, serving: await serving.reports(model, alias.alias) })),
    );
  }
}
