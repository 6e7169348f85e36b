import { createHash } from 'node:crypto';
import { isSaipError } from '../../contracts/errors.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { MODEL_FILES, ModelFacts, SIGNATURE_FILE, type ModelVersion } from '../../contracts/registry.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { verifyModel } from '../../lib/supplychain/index.ts';
import { ApiError } from '../errors.ts';

/** Where files are fetched from that this machine does not have. */
export interface RemoteFiles {
  /** @throws MLFLOW_UNAVAILABLE, ARTIFACT_NOT_FOUND */
  fetch(version: ModelVersion, path: string): Promise<Uint8Array>;
}

export interface ModelSourceOptions {
  readonly store: Pick<ArtifactStore, 'read' | 'put'>;
  readonly remote: RemoteFiles;
  /** PEM keys that may have signed a model. */
  readonly publicKeys: () => Promise<readonly string[]>;
}

export interface VerifiedModel {
  readonly graph: Uint8Array;
  /** Absent in a folder of other tools. */
  readonly facts?: ModelFacts | undefined;
}

/** Gets the bytes of registered versions, and gives out only what its signature and every digest vouch for. */
export class ModelSource {
  readonly #options: ModelSourceOptions;

  constructor(options: ModelSourceOptions) {
    this.#options = options;
  }

  /**
   * The ONNX graph of `version`, and the facts that were signed with it.
   * @throws SIGNATURE_MISSING, SIGNATURE_INVALID, ARTIFACT_DIGEST_MISMATCH, ARTIFACT_NOT_FOUND and MODEL_LOAD_FAILED
   *   for a version that must not be served; retryable errors when a server is away
   */
  async model(version: ModelVersion): Promise<VerifiedModel> {
    const paths = Object.keys(version.files);
    const contents = new Map<string, Uint8Array>();
    await Promise.all(paths.map(async (path) => contents.set(path, await this.#file(version, path))));
    const { digest } = verifyModel({
      files: Object.fromEntries([...contents].map(([path, bytes]) => [path, sha256(bytes)])),
      bundle: await this.#read(version.signature, () => this.#options.remote.fetch(version, SIGNATURE_FILE)),
      publicKeys: await this.#options.publicKeys(),
      name: version.model,
    });
    if (digest !== version.digest) {
      throw new ApiError('SIGNATURE_INVALID', 'The signed digest is not the one that was registered.');
    }
    const graph = contents.get(MODEL_FILES.onnx);
    if (!graph) throw new ApiError('MODEL_LOAD_FAILED', `The model folder holds no ${MODEL_FILES.onnx}.`);
    return { graph, facts: factsOf(contents.get(MODEL_FILES.facts)) };
  }

  #file(version: ModelVersion, path: string): Promise<Uint8Array> {
    const ref = version.files[path];
    if (!ref) throw new ApiError('MODEL_LOAD_FAILED', `${path} has no reference.`);
    return this.#read(ref, () => this.#options.remote.fetch(version, path));
  }

  /** Local bytes; what is missing, but not what was changed, is fetched and kept. */
  async #read(ref: ArtifactRef, fetchRemote: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const { store } = this.#options;
    try {
      return await store.read(ref);
    } catch (error) {
      if (!isSaipError(error) || error.code !== 'ARTIFACT_NOT_FOUND') throw error;
    }
    const bytes = await fetchRemote();
    if (sha256(bytes) !== ref.sha256) {
      throw new ApiError('SIGNATURE_INVALID', 'The fetched bytes are not those that were registered.', {
        field: ref.uri,
      });
    }
    await store.put(bytes, { mediaType: ref.mediaType });
    return bytes;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Facts of a newer platform than this one are not understood, and hold the graph up as little as none. */
function factsOf(bytes: Uint8Array | undefined): ModelFacts | undefined {
  if (bytes === undefined) return undefined;
  try {
    return ModelFacts.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
