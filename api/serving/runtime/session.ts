import type * as OnnxRuntime from 'onnxruntime-node';
import type { TensorMetadata } from '../../../contracts/inference.ts';
import { datatypeOf, type ElementType, type TensorData } from '../tensors.ts';

export type Feeds = Readonly<Record<string, TensorData>>;

export interface SessionSettings {
  /** Threads of one ONNX Runtime call. More than one can be far slower on a busy machine (spinning). */
  readonly intraOpNumThreads: number;
}

type Ort = typeof OnnxRuntime;

/** One ONNX Runtime session in this thread. `run` holds the thread as long as the graph takes. */
export class OrtSession {
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly #ort: Ort;
  readonly #session: OnnxRuntime.InferenceSession;

  private constructor(ort: Ort, session: OnnxRuntime.InferenceSession) {
    this.#ort = ort;
    this.#session = session;
    this.inputs = session.inputMetadata.map(tensorMetadata);
    this.outputs = session.outputMetadata.map(tensorMetadata);
  }

  /** Loads from bytes, never from a path: what was verified is what runs. */
  static async create(bytes: Uint8Array, settings: SessionSettings): Promise<OrtSession> {
    // Loaded with the first model, so that the process starts without the native library.
    const ort = await import('onnxruntime-node');
    const session = await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: settings.intraOpNumThreads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
    return new OrtSession(ort, session);
  }

  async run(feeds: Feeds, fetches: readonly string[]): Promise<Record<string, TensorData>> {
    const tensors: Record<string, OnnxRuntime.Tensor> = {};
    for (const [name, { type, data, dims }] of Object.entries(feeds)) {
      tensors[name] = new this.#ort.Tensor(type as 'float32', data as Float32Array, dims);
    }
    const results = await this.#session.run(tensors, [...fetches]);
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, data, dims }]) => [
        name,
        { type: type as ElementType, data: data, dims },
      ]),
    );
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

function tensorMetadata(metadata: OnnxRuntime.InferenceSession.ValueMetadata): TensorMetadata {
  const datatype = metadata.isTensor ? datatypeOf(metadata.type) : undefined;
  if (!metadata.isTensor || datatype === undefined) {
    throw new Error(`"${metadata.name}" is of a type that cannot be served.`);
  }
  return {
    name: metadata.name,
    datatype,
    shape: metadata.shape.map((size) => (typeof size === 'number' ? size : -1)),
  };
}
