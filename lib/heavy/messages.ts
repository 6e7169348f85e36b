import type { ChildFailure } from './errors.ts';

/** First and only message of the parent. */
export interface InputMessage {
  readonly kind: 'input';
  readonly value: unknown;
}

/** Messages of the child, in any order but with `result` or `failure` last. */
export type ChildMessage =
  | { readonly kind: 'report'; readonly value: unknown }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'failure'; readonly failure: ChildFailure };
