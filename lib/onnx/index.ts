export { OnnxError } from './errors.ts';
export type { OnnxErrorCode } from './errors.ts';
export { exportOnnx } from './export.ts';
export type { ExportOptions } from './export.ts';
export { PARITY_TOLERANCE, checkParity } from './parity.ts';
export type { Parity, ParityOptions } from './parity.ts';
export { runOnnx } from './run.ts';
export type { OnnxOutput, OnnxProgress, RunOnnxOptions } from './run.ts';
export { OUTPUTS } from './signature.ts';
