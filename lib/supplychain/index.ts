export { SupplyChainError, type SupplyChainErrorCode } from './errors.ts';
export { hashModelFolder } from './folder.ts';
export { BUNDLE_MEDIA_TYPE, keyHint, signModel, transitPublicKeys, transitSigner } from './sign.ts';
export type { ModelSignature, ModelSigner, SignModelOptions } from './sign.ts';
export { modelDigest, type FileDigests, type ModelStatement } from './statement.ts';
export { verifyModel, type VerifyModelOptions } from './verify.ts';
