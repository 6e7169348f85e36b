import type { TensorData } from '../tensors.ts';
import type { Feeds, SessionSettings } from './session.ts';

/** From the pool to a thread. `key` names a loaded model, `id` one call. */
export type ThreadRequest =
  | {
      readonly kind: 'load';
      readonly id: number;
      readonly key: string;
      readonly bytes: Uint8Array;
      readonly settings: SessionSettings;
    }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly key: string;
      readonly feeds: Feeds;
      readonly fetches: readonly string[];
    }
  | { readonly kind: 'unload'; readonly id: number; readonly key: string };

/** From a thread to the pool. */
export type ThreadReply =
  | { readonly id: number; readonly ok: true; readonly outputs?: Readonly<Record<string, TensorData>> }
  | { readonly id: number; readonly ok: false; readonly message: string };
