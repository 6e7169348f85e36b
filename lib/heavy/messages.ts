import type { ChildFailure } from './errors.ts';

/** Messages of the parent: `input` first, then an answer to each report with an `id`. */
export type ParentMessage =
  | { readonly kind: 'input'; readonly value: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown };

/** Messages of the child, in any order but with `result` or `failure` last. */
export type ChildMessage =
  | { readonly kind: 'report'; readonly value: unknown; readonly id?: number }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'failure'; readonly failure: ChildFailure };
