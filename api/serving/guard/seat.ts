import type { NewFlag } from '../../../lib/clients/index.ts';
import type { Account, Bucket, EffectiveLimit, UsageLedger } from '../../../lib/limits/index.ts';
import type { Suspicion } from '../../../lib/misuse/index.ts';
import type { ApiError } from '../../errors.ts';
import type { GuardMetrics, Use } from './metrics.ts';
import type { EffectiveProtection, GuardState } from './state.ts';
import type { Watch } from './watch.ts';

export interface InferenceGuardOptions {
  readonly state: GuardState;
  readonly ledger: UsageLedger;
  readonly watch: Watch;
  readonly metrics: GuardMetrics;
  /** Requests a second of a caller who is slowed. */
  readonly slowRate: number;
  /** Keeps a flag and its record. @returns once both are durable */
  readonly raise: (flag: NewFlag) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** What is known of a caller and a model, until limits, protections or flags are read again. */
export interface Seat {
  readonly key: string;
  readonly account: Account;
  readonly version: number;
  readonly limit: EffectiveLimit;
  readonly protection: EffectiveProtection;
  readonly bucket: Bucket;
  readonly slow: Bucket;
  readonly use: Use;
  /** What is done to the answers, for people; empty where nothing is. */
  readonly hardening: string;
}

/** What a request that was let in asks of the guard. */
export interface SeatKeeper {
  /** @throws {ApiError} `QUOTA_EXCEEDED` where the quota of the day is less than the rows need */
  charge(seat: Seat, counts: { readonly requests: number; readonly rows: number }): void;
  suspect(seat: Seat, suspicion: Suspicion): void;
  /** Counts a refusal. @returns the error */
  refuse(seat: Seat, error: ApiError): ApiError;
}
