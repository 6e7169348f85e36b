export { followWorkflow } from './follow.ts';
export type { Followed, FollowOptions } from './follow.ts';
export { exitCodeOfOutcome, outcomeOf } from './outcome.ts';
export { renderSummary } from './summary.ts';
