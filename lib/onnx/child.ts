import type { InferenceSession } from 'onnxruntime-node';
import { readSamples } from '../datasets/index.ts';
import { serveChild } from '../heavy/index.ts';
import { OnnxError } from './errors.ts';
import { feeder } from './feeds.ts';
import type { OnnxInput, OnnxOutput, OnnxProgress } from './run.ts';
import { openSession } from './session.ts';
import { OUTPUTS } from './signature.ts';

const BATCH = 250;

serveChild(async (input: OnnxInput, report: (progress: OnnxProgress) => void): Promise<OnnxOutput> => {
  const session = await openSession(input.onnx);
  const feeds = feeder(session, await readSamples(input.samples, input.dtype), input);
  const number = input.outputs === 'prediction' ? OUTPUTS.prediction : OUTPUTS.probabilities;
  checkOutputs(session, input.outputs === 'prediction' ? [number] : [number, OUTPUTS.label]);
  let numbers = new Float32Array(0);
  const labels = new Int32Array(input.outputs === 'prediction' ? 0 : input.count);
  for (let start = 0; start < input.count; start += BATCH) {
    const end = Math.min(start + BATCH, input.count);
    const outputs = await session.run(feeds(start, end));
    const rows = outputs[number]?.data as Float32Array;
    const width = rows.length / (end - start);
    if (start === 0) numbers = new Float32Array(input.count * width);
    numbers.set(rows, start * width);
    const classes = outputs[OUTPUTS.label]?.data as BigInt64Array | undefined;
    if (classes !== undefined) labels.set(Array.from(classes, Number), start);
    report({ done: end, total: input.count });
  }
  return input.outputs === 'prediction'
    ? { probabilities: new Float32Array(0), labels, predictions: numbers }
    : { probabilities: numbers, labels, predictions: new Float32Array(0) };
});

function checkOutputs(session: InferenceSession, wanted: readonly string[]): void {
  const missing = wanted.find((name) => !session.outputNames.includes(name));
  if (missing === undefined) return;
  throw new OnnxError('TENSOR_INVALID', `the model has no output "${missing}"`, { field: missing });
}
