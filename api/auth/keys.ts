import type { ApiKeyCreated, ApiKeyRequest, ApiKeyView } from '../../contracts/api-keys.ts';
import type { ApiKeys } from '../../lib/clients/index.ts';
import { mintApiKey, type ApiKeyVerifier } from '../../lib/identity/index.ts';
import { ApiError } from '../errors.ts';
import type { Caller } from '../http/route.ts';

export interface KeyringOptions {
  readonly keys: ApiKeys;
  readonly verifier: Pick<ApiKeyVerifier, 'forget'>;
  /** Keyed hash, under the newest version of its key. */
  readonly hash: (key: string) => Promise<string>;
}

/** Makes, rotates and ends API keys. Who may is decided before; a key itself leaves here once and is kept nowhere. */
export class ApiKeyring {
  readonly #options: KeyringOptions;

  constructor(options: KeyringOptions) {
    this.#options = options;
  }

  async create(request: ApiKeyRequest, { sub, tenant }: Pick<Caller, 'sub' | 'tenant'>): Promise<ApiKeyCreated> {
    const { id, key } = mintApiKey();
    await this.#options.keys.add({ ...request, id, owner: sub, tenant, hash: await this.#options.hash(key) });
    return { ...(await this.view(id)), key };
  }

  /** @throws {ApiError} `API_KEY_UNKNOWN` */
  async view(id: string): Promise<ApiKeyView> {
    const view = await this.#options.keys.view(id);
    if (view === undefined) throw new ApiError('API_KEY_UNKNOWN', `There is no API key ${id}.`, { field: 'path.id' });
    return view;
  }

  /** @throws {ApiError} `API_KEY_UNKNOWN`, `API_KEY_ENDED` */
  async rotate(id: string, overlapSeconds: number): Promise<ApiKeyCreated> {
    const { key } = mintApiKey(id);
    const rotated = await this.#options.keys.rotate({ id, hash: await this.#options.hash(key), overlapSeconds });
    const view = await this.view(id);
    if (!rotated) throw new ApiError('API_KEY_ENDED', `The API key ${id} was revoked or has expired.`);
    this.#options.verifier.forget(id);
    return { ...view, key };
  }

  async revoke(id: string): Promise<void> {
    await this.#options.keys.revoke(id);
    this.#options.verifier.forget(id);
  }

  list(query: { readonly tenant: string; readonly owner?: string }): Promise<ApiKeyView[]> {
    return this.#options.keys.list(query);
  }
}
