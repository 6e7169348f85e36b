import { rounded } from '../../../lib/misuse/index.ts';
import { ApiError } from '../../errors.ts';
import { rowsOf } from '../batch.ts';
import type { RunCall } from '../batcher.ts';
import type { Feeds } from '../runtime/session.ts';
import type { TensorData } from '../tensors.ts';
import { inputProfileOf, type InputProfile } from './input-profile.ts';
import { hardenResults, predictedClasses } from './outputs.ts';
import type { InferenceGuardOptions, Seat, SeatKeeper } from './seat.ts';
import type { Servable } from './servable.ts';

type Results = Readonly<Record<string, TensorData>>;

/** Copies of rows that are looked at once they are answered. */
interface Sampled {
  readonly values: Float32Array;
  readonly outside: boolean;
}

interface Look {
  readonly rows: number;
  readonly profile: InputProfile;
  readonly sampled: readonly Sampled[];
}

/** One request that was let in. */
export class Visit {
  /** The model, with its inputs and outputs looked at; answers this request alone. */
  readonly model: Servable;
  readonly #target: Servable;
  readonly #seat: Seat;
  readonly #guard: SeatKeeper;
  readonly #options: InferenceGuardOptions;
  #counted = false;
  #outside = 0;

  constructor(target: Servable, seat: Seat, guard: SeatKeeper, options: InferenceGuardOptions) {
    this.#target = target;
    this.#seat = seat;
    this.#guard = guard;
    this.#options = options;
    const { model, version, digest, facts, inputs, outputs } = target;
    this.model = {
      ...{ model, version, digest, facts, inputs, outputs },
      run: (feeds, fetches, call) => this.#run(feeds, fetches, call),
      told: () => this.#told(),
    };
  }

  /** What the record of the request says about it: what was kept from the answer, and rows out of range. */
  get note(): string | undefined {
    const { hardening } = this.#seat;
    if (hardening === '' && this.#outside === 0) return undefined;
    const outside = this.#outside === 0 ? [] : [`out-of-range=${this.#outside}`];
    return [...(hardening === '' ? [] : [hardening]), ...outside].join(' ');
  }

  /** The answer as it is sent. */
  answered<T>(response: T): T {
    const { account, hardening, protection } = this.#seat;
    if (hardening !== '') this.#options.metrics.hardened(account.model);
    return protection.decimals === undefined ? response : roundAll(response, protection.decimals);
  }

  #told(): Readonly<Record<string, string | number>> | undefined {
    const { hardening } = this.#seat;
    if (hardening === '' && this.#outside === 0) return undefined;
    return { ...(hardening !== '' && { hardening }), ...(this.#outside > 0 && { out_of_range_rows: this.#outside }) };
  }

  async #run(feeds: Feeds, fetches: readonly string[], call?: RunCall): Promise<Results> {
    const look = this.#before(feeds);
    return this.#after(look, await this.#target.run(feeds, fetches, call));
  }

  /**
   * Looks at what goes into the model, and copies what is looked at later: the run may take the buffers away.
   * @throws {ApiError} `INPUT_OUT_OF_RANGE`, `QUOTA_EXCEEDED`
   */
  #before(feeds: Feeds): Look {
    const rows = rowsOf(feeds);
    const profile = inputProfileOf(this.#target);
    const outside = this.#seat.protection.outOfRange === 'off' ? undefined : profile.outside(feeds);
    if (outside !== undefined) this.#notice(outside);
    this.#guard.charge(this.#seat, { requests: this.#counted ? 0 : 1, rows });
    this.#counted = true;
    return { rows, profile, sampled: this.#sample(feeds, profile, rows, outside) };
  }

  /** @returns what the caller may know of the results */
  #after({ rows, profile, sampled }: Look, results: Results): Results {
    if (sampled.length > 0) this.#hand(sampled, profile, predictedClasses(results, rows));
    return this.#seat.hardening === '' ? results : hardenResults(results, this.#seat.protection);
  }

  /** @throws {ApiError} `INPUT_OUT_OF_RANGE` where such rows are refused */
  #notice(outside: Uint8Array): void {
    const { metrics } = this.#options;
    const { account, protection } = this.#seat;
    const rows = outside.reduce((sum, mark) => sum + mark, 0);
    metrics.outOfRange(account.model, protection.outOfRange, rows);
    this.#outside += rows;
    if (protection.outOfRange !== 'refuse') return;
    const detail = `Row ${outside.indexOf(1)} holds a value that the training's data cannot have.`;
    throw this.#guard.refuse(this.#seat, new ApiError('INPUT_OUT_OF_RANGE', detail, { field: 'body.inputs' }));
  }

  #sample(feeds: Feeds, profile: InputProfile, rows: number, outside: Uint8Array | undefined): Sampled[] {
    const { minW, maxStrangeShare } = this.#seat.protection;
    if (minW === 0 && maxStrangeShare === 1) return [];
    const wanted = this.#options.watch.wanted(this.#watched(profile), rows);
    return Array.from({ length: wanted }, (_, row) => ({
      values: profile.read(feeds, row),
      outside: outside?.[row] === 1,
    }));
  }

  #hand(sampled: readonly Sampled[], profile: InputProfile, predicted: Int32Array): void {
    this.#options.watch.add(
      this.#watched(profile),
      sampled.map(({ values, outside }, row) => ({
        values,
        predicted: predicted[row] ?? 0,
        strange: outside || profile.unlike(values),
      })),
    );
  }

  #watched(profile: InputProfile): Parameters<InferenceGuardOptions['watch']['add']>[0] {
    const { key, protection } = this.#seat;
    return {
      key,
      width: profile.width,
      classes: Math.max(1, this.#target.facts?.labels.length ?? 2),
      thresholds: protection,
      onSuspicion: (suspicion) => this.#guard.suspect(this.#seat, suspicion),
    };
  }
}

/** Numbers of single precision have more digits in JSON than they were rounded to; what is text already stays. */
function roundAll<T>(value: T, decimals: number): T {
  if (typeof value === 'number') return rounded(value, decimals) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => roundAll(item, decimals)) as T;
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, roundAll(item, decimals)])) as T;
}
