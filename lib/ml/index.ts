export { attackBatches, attackInChild } from './attack-in-child.ts';
export type {
  AttackedBatches,
  AttackInChildOptions,
  AttackReport,
  BatchesOptions,
  BatchJob,
  FinishedBatch,
} from './attack-in-child.ts';
export { chooseSamples } from './attack-samples.ts';
export { computeLogits } from './compute-logits.ts';
export type { ComputeLogitsOptions } from './compute-logits.ts';
export { deviceReport } from './device-report.ts';
export type { DeviceReport } from './device-report.ts';
export { detectDevice, planTraining, processorClass } from './device.ts';
export type { Device, ParallelismSettings } from './device.ts';
export { configDigest, trainingDigest } from './digests.ts';
export type { TrainingSubject } from './digests.ts';
export { MlError } from './errors.ts';
export type { MlErrorCode } from './errors.ts';
export { networkShapes } from './parameters.ts';
export { listPresets, loadPreset, resolveTrainInput } from './presets.ts';
export { RandomStream } from './random.ts';
export { readSafetensors, writeSafetensors } from './safetensors.ts';
export type { Safetensors, Tensor } from './safetensors.ts';
export { shapeNetwork } from './shapes.ts';
export type { SampleShape, ShapedLayer } from './shapes.ts';
export { trainInChild } from './train-in-child.ts';
export type { TrainInChildOptions, TrainingOutcome } from './train-in-child.ts';
export { extractInChild } from './extraction/extract-in-child.ts';
export type { ExtractInChildOptions } from './extraction/extract-in-child.ts';
export { halve } from './extraction/halves.ts';
export { extractionDigest, SubstituteResult } from './extraction/point.ts';
export { resolveExtractionInput, substituteFor } from './extraction/request.ts';
