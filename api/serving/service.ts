import { hostname } from 'node:os';
import type { AliasLog, ModelRegistry, ServingStatus, ServingSwitches } from '../../lib/clients/index.ts';
import type { Logger } from '../http/error-handler.ts';
import { LoadedModel, type BatchSettings } from './loaded-model.ts';
import type { ModelSource } from './model-source.ts';
import { Reconciler, type AliasReport } from './reconciler.ts';
import { ThreadPool } from './runtime/thread-pool.ts';
import { ServedModels, type ServedAlias } from './served-models.ts';
import { ApiError } from '../errors.ts';

export interface ServingServiceOptions {
  readonly source: Pick<ModelSource, 'model'>;
  readonly registry: Pick<ModelRegistry, 'get'>;
  readonly aliases: Pick<AliasLog, 'live'>;
  readonly switches: Pick<ServingSwitches, 'add' | 'current'>;
  readonly status: Pick<ServingStatus, 'heartbeat' | 'report' | 'retract' | 'leave'>;
  /** Calls back at every change of the alias log, and when changes may have been missed. */
  readonly listen: (onChange: () => void) => { close(): Promise<void> };
  readonly logger: Logger;
  /** Threads of one ONNX Runtime call, and worker threads for calls that take long. */
  readonly settings: { readonly threads: number; readonly workers: number };
  /** When requests share calls of the runtime; default: never. */
  readonly batching?: BatchSettings;
  /** Milliseconds between two rounds that no notification asked for. */
  readonly interval?: number;
}

/** Several times in the life that a replica has without a sign of life. */
const HEARTBEAT_MS = 3_000;

/** Keeps this process serving what the alias log says, and tells PostgreSQL what it serves. */
export class ServingService {
  readonly served = new ServedModels();
  /** This process among the replicas of the API. */
  readonly replica = `${hostname()}:${process.pid}`;
  readonly #options: ServingServiceOptions;
  readonly #threads: ThreadPool;
  readonly #reconciler: Reconciler;
  readonly #reported = new Map<string, ServedAlias>();
  #listener: { close(): Promise<void> } | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #ready = false;

  constructor(options: ServingServiceOptions) {
    this.#options = options;
    const settings = { intraOpNumThreads: options.settings.threads };
    this.#threads = new ThreadPool({ size: options.settings.workers, settings });
    this.#reconciler = new Reconciler({
      served: this.served,
      aliases: () => this.#wanted(),
      load: (target) => this.#load(target, settings),
      report: (reports) => this.#report(reports),
      logger: options.logger,
      interval: options.interval,
    });
  }

  /** True once every alias has been looked at, until `stop`. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Settles when every alias that can be served is served. */
  async start(): Promise<void> {
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS).unref();
    await this.#beat();
    await this.#reconciler.notify();
    this.#ready = true;
    this.#listener = this.#options.listen(() => void this.#reconciler.notify());
  }

  /** From here on the process is not ready; what is loaded still answers. */
  retire(): void {
    this.#ready = false;
  }

  async stop(): Promise<void> {
    this.retire();
    clearInterval(this.#heartbeat);
    await this.#listener?.close();
    await this.#reconciler.stop();
    await this.#options.status.leave(this.replica).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'The replica could not sign off.');
    });
    await Promise.all([...this.served.loaded()].map((model) => model.retire()));
    await this.#threads.close();
  }

  /**
   * Takes a model out of service, or loads it anew, verified: here before this settles, in every other process as soon
   * as it hears of it. What the aliases mean stays.
   * @throws MODEL_UNKNOWN where no alias means a version of it, the code for which a version is refused, DatabaseError
   */
  async switch(model: string, load: boolean, actor: string): Promise<void> {
    const aliases = await this.#options.aliases.live(model);
    if (aliases.length === 0) throw new ApiError('MODEL_UNKNOWN', `No alias means a version of ${model}.`);
    await this.#options.switches.add({ model, load, actor });
    await this.#reconciler.notify();
    if (load) for (const { alias } of aliases) this.served.resolve(model, alias);
  }

  /** What the alias log says, and what administrators said about its models. */
  async #wanted(): Promise<readonly ServedAlias[]> {
    const { aliases, switches } = this.#options;
    const [live, current] = await Promise.all([aliases.live(), switches.current()]);
    const byModel = new Map(current.map((one) => [one.model, one]));
    return live.map(({ model, alias, version, digest }) => {
      const { id = 0, load = true } = byModel.get(model) ?? {};
      return { model, alias, version, digest, generation: id, unloaded: !load };
    });
  }

  async #load(target: ServedAlias, settings: { intraOpNumThreads: number }): Promise<LoadedModel> {
    const { model, version, digest } = target;
    const registered = await this.#options.registry.get(model, version);
    if (registered.digest !== digest) {
      throw new ApiError('SIGNATURE_INVALID', 'The alias log and the registry name different digests.');
    }
    const { graph, facts } = await this.#options.source.model(registered);
    const { batching } = this.#options;
    const named = { model, version, digest };
    return LoadedModel.load({ ...named, bytes: graph, facts, settings, threads: this.#threads, batching });
  }

  async #report(reports: readonly AliasReport[]): Promise<void> {
    const { status } = this.#options;
    const gone = new Map(this.#reported);
    for (const { state, code, reason, target } of reports) {
      const { model, alias, version, digest } = target;
      await status.report({ replica: this.replica, model, alias, version, digest, state, code, reason });
      this.#reported.set(`${model}@${alias}`, target);
      gone.delete(`${model}@${alias}`);
    }
    for (const [key, { model, alias }] of gone) {
      await status.retract({ replica: this.replica, model, alias });
      this.#reported.delete(key);
    }
  }

  async #beat(): Promise<void> {
    try {
      await this.#options.status.heartbeat(this.replica);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'The sign of life of this replica could not be written.');
    }
  }
}
