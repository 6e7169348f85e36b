export { InferenceGuard, type HeaderSink } from './guard.ts';
export { GuardMetrics } from './metrics.ts';
export type { InferenceGuardOptions } from './seat.ts';
export type { Servable } from './servable.ts';
export { GuardState, type GuardStateOptions, type GuardStore } from './state.ts';
export { Watch } from './watch.ts';
