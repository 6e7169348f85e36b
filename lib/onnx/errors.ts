import { SaipError } from '../../contracts/errors.ts';

export type OnnxErrorCode =
  'EXPORT_UNSUPPORTED' | 'EXPORT_PARITY' | 'WEIGHTS_INVALID' | 'MODEL_LOAD_FAILED' | 'TENSOR_INVALID';

/** `field` names the layer, weight or input at fault. */
export class OnnxError extends SaipError<OnnxErrorCode> {
  override readonly name = 'OnnxError';
}
