export { ConfigError, type ConfigProblem } from './errors.ts';
export type { SaipConfig } from './complete.ts';
export { loadConfig } from './load.ts';
export { ProcessName } from './schema.ts';
export { configurationReference } from './reference.ts';
