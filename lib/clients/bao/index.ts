export {
  BaoClient,
  type BaoClientOptions,
  type ChildToken,
  type DatabaseLogin,
  type DataKey,
  type TransitSignature,
} from './client.ts';
export { BaoError, type BaoErrorCode } from './errors.ts';
export type { TransitPublicKey, TransitPublicKeys } from './public-keys.ts';
