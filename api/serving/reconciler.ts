import { performance } from 'node:perf_hooks';
import type { ServingReport } from '../../contracts/api.ts';
import type { Logger } from '../http/error-handler.ts';
import type { LoadedModel } from './loaded-model.ts';
import { classify, loadedOf, type Refusal, type ServedAlias, type ServedModels, type Slot } from './served-models.ts';

/** What one process tells about one alias, for `awaitServing` and `GET /v1/models/{name}/aliases`. */
export interface AliasReport extends Pick<ServingReport, 'state' | 'code' | 'reason'> {
  readonly target: ServedAlias;
}

export interface ReconcilerOptions {
  readonly served: ServedModels;
  /** Every alias as the log says it is now. */
  readonly aliases: () => Promise<readonly ServedAlias[]>;
  /** Verifies and loads a version. */
  readonly load: (target: ServedAlias) => Promise<LoadedModel>;
  /** Replaces what this process has reported, so that it also shows that the process is alive. */
  readonly report: (reports: readonly AliasReport[]) => Promise<void>;
  readonly logger: Logger;
  /** Milliseconds between two rounds that nobody asked for; also the pause before a failed load is tried again. */
  readonly interval?: number;
}

const DEFAULT_INTERVAL_MS = 5_000;

const UNLOADED: Refusal = { code: 'MODEL_UNLOADED', reason: 'An administrator took the model out of service.' };

/** A refused version is looked at again so rarely, because somebody may have restored its files. */
const REFUSED_AGAIN_MS = 60_000;

/**
 * Brings what is served to what the alias log says: once at the start, when somebody calls `notify`, and every few
 * seconds in case a notification was lost. Rounds never overlap.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #interval: number;
  #round: Promise<void> | undefined;
  /** Version → its load in this round, for aliases that share it. */
  readonly #loads = new Map<string, Promise<LoadedModel>>();
  /** The generation that a model was loaded for. */
  readonly #generations = new WeakMap<LoadedModel, number>();
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#interval = options.interval ?? DEFAULT_INTERVAL_MS;
  }

  /** Asks for a round; the promise settles when one that began after this call is over. */
  async notify(): Promise<void> {
    if (this.#stopped) return;
    if (this.#round) {
      this.#again = true;
      await this.#round;
      return;
    }
    clearTimeout(this.#timer);
    this.#round = this.#rounds().finally(() => {
      this.#round = undefined;
      if (!this.#stopped) this.#timer = setTimeout(() => void this.notify(), this.#interval).unref();
    });
    await this.#round;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #rounds(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#reconcile();
      } catch (error) {
        this.#options.logger.warn({ err: error }, 'The alias log cannot be read; what is loaded stays.');
      }
    } while (this.#again && !this.#stopped);
  }

  async #reconcile(): Promise<void> {
    const { served } = this.#options;
    const before = served.loaded();
    const wanted = await this.#options.aliases();
    for (const { target } of served.slots()) {
      const kept = wanted.some(({ model, alias }) => model === target.model && alias === target.alias);
      if (!kept) served.delete(target.model, target.alias);
    }
    await Promise.all(wanted.filter((target) => this.#isDue(target)).map((target) => this.#serve(target)));
    this.#loads.clear();
    const now = served.loaded();
    await Promise.all([...before].filter((model) => !now.has(model)).map((model) => model.retire()));
    await this.#report();
  }

  #isDue(target: ServedAlias): boolean {
    const slot = this.#options.served.get(target.model, target.alias);
    if (!slot || !isSame(slot.target, target)) return true;
    if (slot.state === 'refused') return performance.now() - slot.at >= REFUSED_AGAIN_MS;
    return slot.state === 'loading';
  }

  async #serve(target: ServedAlias): Promise<void> {
    const { served, logger } = this.#options;
    if (target.unloaded === true) {
      served.set({ state: 'refused', target, refusal: UNLOADED, at: performance.now() });
      return;
    }
    const slot = served.get(target.model, target.alias);
    const previous = slot && loadedOf(slot);
    if (!slot || !isSame(slot.target, target)) served.set({ state: 'loading', target, previous });
    const fields = { model: target.model, alias: target.alias, version: target.version };
    try {
      const loaded = this.#find(target) ?? (await this.#load(target));
      served.set({ state: 'ready', target, loaded });
      logger.info(fields, 'The version is served.');
    } catch (error) {
      const { refusal, transient } = classify(error);
      const next: Slot = transient
        ? { state: 'loading', target, previous, refusal }
        : { state: 'refused', target, refusal, at: performance.now() };
      served.set(next);
      logger.error({ ...fields, err: error, code: refusal.code }, 'The version is not served.');
    }
  }

  /** The same version under another alias is loaded once. */
  #find(target: ServedAlias): LoadedModel | undefined {
    return [...this.#options.served.loaded()].find(
      (loaded) =>
        loaded.model === target.model &&
        loaded.version === target.version &&
        loaded.digest === target.digest &&
        (this.#generations.get(loaded) ?? 0) === (target.generation ?? 0),
    );
  }

  #load(target: ServedAlias): Promise<LoadedModel> {
    const key = `${target.model}/${target.version}/${target.digest}`;
    const running = this.#loads.get(key) ?? this.#loadNow(target);
    this.#loads.set(key, running);
    return running;
  }

  async #loadNow(target: ServedAlias): Promise<LoadedModel> {
    const loaded = await this.#options.load(target);
    this.#generations.set(loaded, target.generation ?? 0);
    return loaded;
  }

  async #report(): Promise<void> {
    const { served, report, logger } = this.#options;
    try {
      await report(served.slots().map(reportOf));
    } catch (error) {
      logger.warn({ err: error }, 'What is served cannot be reported.');
    }
  }
}

function reportOf(slot: Slot): AliasReport {
  if (slot.state === 'ready') return { state: 'ready', target: slot.target };
  return { state: slot.state, target: slot.target, code: slot.refusal?.code, reason: slot.refusal?.reason };
}

function isSame(a: ServedAlias, b: ServedAlias): boolean {
  return (
    a.version === b.version &&
    a.digest === b.digest &&
    (a.generation ?? 0) === (b.generation ?? 0) &&
    (a.unloaded ?? false) === (b.unloaded ?? false)
  );
}
