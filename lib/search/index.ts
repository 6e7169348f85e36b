export { defaultSpace } from './default-space.ts';
export { SearchError } from './errors.ts';
export type { SearchErrorCode } from './errors.ts';
export { planTrials } from './plan.ts';
export { SearchReport, renderSearch } from './report.ts';
export { resolveSearchInput } from './request.ts';
