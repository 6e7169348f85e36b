import { isSaipError, SaipError } from '../../contracts/errors.ts';
import type { ErrorCode } from '../../contracts/errors.ts';

export type MlErrorCode = Extract<
  ErrorCode,
  | 'MODEL_CONFIG_INVALID'
  | 'PRESET_UNKNOWN'
  | 'REQUEST_INVALID'
  | 'WEIGHTS_INVALID'
  | 'NATIVE_ADDON_MISSING'
  | 'GPU_NOT_VISIBLE'
  | 'DEVICE_OUT_OF_MEMORY'
  | 'TRAINING_DIVERGED'
  | 'TRAINING_FENCED'
  | 'CHECKPOINT_INCOMPATIBLE'
  | 'CHILD_CRASHED'
>;

export class MlError extends SaipError<MlErrorCode> {
  override readonly name = 'MlError';
}

export function isOutOfMemory(error: unknown): boolean {
  return isSaipError(error) && error.code === 'DEVICE_OUT_OF_MEMORY';
}
