export { infer, metadataOf } from './infer.ts';
export { LoadedModel } from './loaded-model.ts';
export { InferenceMetrics } from './metrics.ts';
export { MlflowFiles } from './mlflow-files.ts';
export { ModelSource, type RemoteFiles } from './model-source.ts';
export { predict } from './predict.ts';
export { InferenceRecorder, type InferenceEvent } from './record.ts';
export { ServedModels } from './served-models.ts';
export { ServingService, type ServingServiceOptions } from './service.ts';
