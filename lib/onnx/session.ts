import { readFile } from 'node:fs/promises';
import { InferenceSession } from 'onnxruntime-node';
import { OnnxError } from './errors.ts';

/** One thread: a second one spins on a busy machine, and results must not depend on how many there are. */
const OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
};

/** Loads the graph in a file, to be run in this process. @throws OnnxError `MODEL_LOAD_FAILED` */
export async function openSession(path: string): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(await readFile(path), OPTIONS);
  } catch (cause) {
    throw new OnnxError('MODEL_LOAD_FAILED', `ONNX Runtime refused the model: ${(cause as Error).message}`, { cause });
  }
}
