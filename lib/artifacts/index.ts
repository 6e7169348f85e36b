export { ArtifactError, type ArtifactErrorCode } from './errors.ts';
export type { ArtifactPart } from './read.ts';
export { ArtifactStore, type PutOptions } from './store.ts';
export { sweepFolder, temporaryName } from './temporary.ts';
