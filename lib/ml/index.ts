export { MlError } from './errors.ts';
export type { MlErrorCode } from './errors.ts';
export { readSafetensors, writeSafetensors } from './safetensors.ts';
export type { Safetensors, Tensor } from './safetensors.ts';
