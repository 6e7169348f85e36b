export { MlError } from './errors.ts';
export type { MlErrorCode } from './errors.ts';
export { listPresets, loadPreset, resolveTrainInput } from './presets.ts';
export { readSafetensors, writeSafetensors } from './safetensors.ts';
export type { Safetensors, Tensor } from './safetensors.ts';
export { shapeNetwork } from './shapes.ts';
export type { SampleShape, ShapedLayer } from './shapes.ts';
