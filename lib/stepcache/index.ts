export { announceWorker } from './announce.ts';
export { STAGE_POOLS, StepCache, type NewStep, type StepCacheOptions } from './cache.ts';
export { stageCode, type CodeOptions, type StageCode } from './code.ts';
export { collectSteps, type CollectOptions } from './collect.ts';
export { StepCacheError, type StepCacheErrorCode } from './errors.ts';
export { type StepHmac } from './seal.ts';
export { inputsOf, stepKey, type KeyMaterial } from './key.ts';
