import type { ErrorCode } from '../../contracts/errors.ts';
import { isSaipError, SaipError } from '../../contracts/errors.ts';
import { ApiError } from '../errors.ts';
import type { LoadedModel } from './loaded-model.ts';

/** An alias as the log says it is now. */
export interface ServedAlias {
  readonly model: string;
  readonly alias: string;
  readonly version: string;
  readonly digest: string;
  /** Grows when an administrator has the model loaded anew; 0 where nobody ever did. */
  readonly generation?: number;
  /** An administrator took the model out of service. */
  readonly unloaded?: boolean;
}

/** Why an alias is not (or not yet) served. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

export type Slot =
  | { readonly state: 'ready'; readonly target: ServedAlias; readonly loaded: LoadedModel }
  | {
      readonly state: 'refused';
      readonly target: ServedAlias;
      readonly refusal: Refusal;
      /** When it was refused, milliseconds of the monotonic clock. */
      readonly at: number;
    }
  | {
      readonly state: 'loading';
      readonly target: ServedAlias;
      /** Serves on until the new version is ready. */
      readonly previous?: LoadedModel;
      readonly refusal?: Refusal;
    };

/** What this process serves: one slot an alias. Replacing a slot is one assignment, so requests see the old or the new. */
export class ServedModels {
  readonly #slots = new Map<string, Slot>();

  get(model: string, alias: string): Slot | undefined {
    return this.#slots.get(slotKey(model, alias));
  }

  set(slot: Slot): void {
    this.#slots.set(slotKey(slot.target.model, slot.target.alias), slot);
  }

  delete(model: string, alias: string): void {
    this.#slots.delete(slotKey(model, alias));
  }

  slots(): readonly Slot[] {
    return [...this.#slots.values()];
  }

  /** Every model that answers requests now. */
  loaded(): ReadonlySet<LoadedModel> {
    return new Set(this.slots().flatMap((slot) => loadedOf(slot) ?? []));
  }

  /** Versions of `model` that answer requests now. */
  versions(model: string): string[] {
    return [...new Set([...this.loaded()].filter((loaded) => loaded.model === model).map(({ version }) => version))];
  }

  /** @throws MODEL_UNKNOWN, ALIAS_UNKNOWN, MODEL_NOT_READY, or the code for which the version was refused */
  resolve(model: string, alias: string): LoadedModel {
    const slot = this.get(model, alias);
    if (!slot) throw this.#unknown(model, alias);
    const loaded = loadedOf(slot);
    if (loaded) return loaded;
    throw refusalError(slot);
  }

  /** A version that some alias points to. @throws as `resolve`, and MODEL_VERSION_UNKNOWN */
  resolveVersion(model: string, version: string): LoadedModel {
    const slots = this.slots().filter(({ target }) => target.model === model);
    if (slots.length === 0) throw this.#unknown(model, 'champion');
    const loaded = slots.map(loadedOf).find((candidate) => candidate?.version === version);
    if (loaded) return loaded;
    const slot = slots.find(({ target }) => target.version === version);
    if (slot) throw refusalError(slot);
    throw new ApiError('MODEL_VERSION_UNKNOWN', `No alias of ${model} points to version ${version}.`);
  }

  #unknown(model: string, alias: string): ApiError {
    const known = this.slots().some(({ target }) => target.model === model);
    return known
      ? new ApiError('ALIAS_UNKNOWN', `${model} has no alias ${alias}.`)
      : new ApiError('MODEL_UNKNOWN', `No model ${model} is served.`);
  }
}

export function loadedOf(slot: Slot): LoadedModel | undefined {
  if (slot.state === 'ready') return slot.loaded;
  return slot.state === 'loading' ? slot.previous : undefined;
}

/** Whether trying again later can help, and what to tell until then. */
export function classify(error: unknown): { refusal: Refusal; transient: boolean } {
  if (isSaipError(error)) {
    return { refusal: { code: error.code, reason: error.message }, transient: error.spec.retryable };
  }
  return { refusal: { code: 'UNAVAILABLE', reason: 'The model files could not be read.' }, transient: true };
}

function refusalError(slot: Slot): SaipError {
  const { target } = slot;
  const name = `${target.model}@${target.alias} (version ${target.version})`;
  if (slot.state === 'refused') return new SaipError(slot.refusal.code, `${name}: ${slot.refusal.reason}`);
  const why = slot.state === 'loading' && slot.refusal ? `: ${slot.refusal.reason}` : ' yet';
  return new ApiError('MODEL_NOT_READY', `${name} is not loaded${why}.`.replace('..', '.'), {
    headers: { 'Retry-After': '2' },
  });
}

function slotKey(model: string, alias: string): string {
  return `${model}@${alias}`;
}
