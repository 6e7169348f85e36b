import { OnnxError } from '../errors.ts';

/** @param field of the card */
export function wrongCard(field: string, why: string): OnnxError {
  return new OnnxError('MODEL_CARD_INVALID', `card.${field}: ${why}`, { field: `card.${field}` });
}
