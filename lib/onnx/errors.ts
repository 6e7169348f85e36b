import { SaipError } from '../../contracts/errors.ts';

export type OnnxErrorCode =
  | 'EXPORT_UNSUPPORTED'
  | 'EXPORT_PARITY'
  | 'WEIGHTS_INVALID'
  | 'MODEL_LOAD_FAILED'
  | 'TENSOR_INVALID'
  | 'MODEL_GRAPH_MALFORMED'
  | 'MODEL_GRAPH_TOO_LARGE'
  | 'MODEL_GRAPH_REFUSED'
  | 'MODEL_CARD_INVALID'
  | 'MODEL_DISAGREES';

/** `field` names the layer, weight, node or input at fault. */
export class OnnxError extends SaipError<OnnxErrorCode> {
  override readonly name = 'OnnxError';
}
