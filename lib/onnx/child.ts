import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readSamples } from '../datasets/index.ts';
import { serveChild } from '../heavy/index.ts';
import { OnnxError } from './errors.ts';
import type { OnnxInput, OnnxOutput, OnnxProgress } from './run.ts';
import { OUTPUTS } from './signature.ts';

/** One thread: a second one spins on a busy machine, and results must not depend on how many there are. */
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
};
const BATCH = 250;

serveChild(async (input: OnnxInput, report: (progress: OnnxProgress) => void): Promise<OnnxOutput> => {
  const session = await load(input);
  const samples = await readSamples(input.samples, input.dtype);
  const size = input.shape.reduce((product, axis) => product * axis, 1);
  let probabilities = new Float32Array(0);
  const labels = new Int32Array(input.count);
  for (let start = 0; start < input.count; start += BATCH) {
    const end = Math.min(start + BATCH, input.count);
    const values = Float32Array.from(samples.subarray(start * size, end * size));
    const outputs = await session.run({
      [session.inputNames[0] as string]: new Tensor('float32', values, [end - start, ...input.shape]),
    });
    const rows = outputs[OUTPUTS.probabilities]?.data as Float32Array;
    const classes = rows.length / (end - start);
    if (start === 0) probabilities = new Float32Array(input.count * classes);
    probabilities.set(rows, start * classes);
    labels.set(Array.from(outputs[OUTPUTS.label]?.data as BigInt64Array, Number), start);
    report({ done: end, total: input.count });
  }
  return { probabilities, labels };
});

async function load(input: OnnxInput): Promise<InferenceSession> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(input.onnx, SESSION_OPTIONS);
  } catch (cause) {
    throw new OnnxError('MODEL_LOAD_FAILED', `ONNX Runtime refused the model: ${(cause as Error).message}`, { cause });
  }
  const [metadata] = session.inputMetadata;
  const shape = metadata?.isTensor === true ? metadata.shape.slice(1) : [];
  if (session.inputNames.length !== 1 || shape.join() !== input.shape.join()) {
    const message = `the model takes samples of [${shape.join(', ')}], not [${input.shape.join(', ')}]`;
    throw new OnnxError('TENSOR_INVALID', message, { field: session.inputNames[0] });
  }
  const missing = Object.values(OUTPUTS).find((name) => !session.outputNames.includes(name));
  if (missing !== undefined) {
    throw new OnnxError('TENSOR_INVALID', `the model has no output "${missing}"`, { field: missing });
  }
  return session;
}
