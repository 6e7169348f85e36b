export { SCAN_LIMITS } from './limits.ts';
export { OPERATORS } from './operators.ts';
export { scanModel } from './scan.ts';
export type { ScannedModel } from './scan.ts';
