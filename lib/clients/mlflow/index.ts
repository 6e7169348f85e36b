export { MlflowClient } from './client.ts';
export type { Tags } from './common.ts';
export { MlflowError, type MlflowErrorCode } from './errors.ts';
export type { LoggedModel, NewLoggedModel } from './logged-models.ts';
export { mirrorAlias, VERSION_TAG } from './mirror.ts';
export { mlmodelFile, type MlmodelOptions, type TensorSpec } from './mlmodel.ts';
export type { MlflowModelVersion, NewModelVersion } from './registered-models.ts';
export type { DatasetInput, Metric, MlflowRun, NewRun, RunStatus } from './runs.ts';
export type { TransportOptions } from './transport.ts';
