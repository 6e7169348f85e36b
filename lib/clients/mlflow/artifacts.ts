import { openAsBlob } from 'node:fs';
import { MlflowError, isRefusal } from './errors.ts';
import type { RequestOptions, Transport } from './transport.ts';

const PROXY = '/api/2.0/mlflow-artifacts/artifacts';
const SCHEME = 'mlflow-artifacts:/';

export interface LocalFile {
  readonly path: string;
  readonly mediaType: string;
}

/** Files of runs and logged models, through the artifact proxy of the server. Every method throws MlflowError. */
export class Artifacts {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /**
   * Sends bytes up; what was there under this name is replaced.
   * @param artifactUri of the run or the logged model
   */
  upload(artifactUri: string, path: string, body: Blob): Promise<void> {
    return this.#put(artifactUri, path, () => Promise.resolve(body));
  }

  /**
   * Streams a file up, so that it is read only while it is sent. A file that is replaced meanwhile, as the artifact store
   * does with one that is stored again, cannot be read on: each attempt opens it anew.
   */
  uploadFile(artifactUri: string, path: string, file: LocalFile): Promise<void> {
    return this.#put(artifactUri, path, () => openAsBlob(file.path, { type: file.mediaType }));
  }

  /** The whole file; undefined when there is none of this name. */
  async download(artifactUri: string, path: string): Promise<Buffer | undefined> {
    const request = { method: 'GET', path: proxyPath(artifactUri, path) } as const;
    return this.#http.retrying(() => this.#optional(request));
  }

  /** The file as it comes. */
  async stream(artifactUri: string, path: string): Promise<ReadableStream<Uint8Array>> {
    const request = { method: 'GET', path: proxyPath(artifactUri, path) } as const;
    const { body } = await this.#http.retrying(() => this.#http.send(request));
    if (body === null) throw new MlflowError('MLFLOW_REJECTED', `MLflow sent no body for ${path}.`);
    return body;
  }

  async #put(artifactUri: string, name: string, open: () => Promise<Blob>): Promise<void> {
    const path = proxyPath(artifactUri, name);
    await this.#http.retrying(async () => {
      const { body } = await this.#http.send({ method: 'PUT', path, body: await open() });
      await body?.cancel();
    });
  }

  async #optional(request: RequestOptions): Promise<Buffer | undefined> {
    try {
      return await this.#http.bytes(request);
    } catch (error) {
      if (isRefusal(error, 'RESOURCE_DOES_NOT_EXIST')) return undefined;
      throw error;
    }
  }
}

/** @throws MlflowError when the server gives artifacts a place of their own, which clients would need logins for */
function proxyPath(artifactUri: string, path: string): string {
  if (!artifactUri.startsWith(SCHEME)) {
    throw new MlflowError('MLFLOW_REJECTED', 'MLflow must proxy artifacts: start it with --artifacts-destination.');
  }
  const folder = artifactUri.slice(SCHEME.length).replace(/^\/+/, '');
  const segments = `${folder}/${path}`.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new MlflowError('MLFLOW_REJECTED', 'The name of an artifact has an empty or relative part.', { field: path });
  }
  return [PROXY, ...segments.map(encodeURIComponent)].join('/');
}
