import { readFileSync } from 'node:fs';
import type { ModelConfig } from '../../../contracts/model-config.ts';
import { regressionOf } from '../../../contracts/prepared-data.ts';
import type { PreparedManifest } from '../../../contracts/prepared-data.ts';
import { serveChild } from '../../heavy/index.ts';
import { networkGraph } from '../graph/network.ts';
import { loadTensorFlow } from '../native/addon.ts';
import { GraphSession } from '../native/session.ts';
import { flatten } from '../parameters.ts';
import { readSafetensors } from '../safetensors.ts';
import { networkOf } from '../training/job.ts';
import { Samples } from '../training/samples.ts';
import type { SplitFiles } from '../training/samples.ts';

/** Samples in one call; the last one is filled up with the first sample. */
const BATCH = 250;

export interface LogitsInput {
  readonly model: ModelConfig;
  readonly manifest: PreparedManifest;
  readonly weights: string;
  readonly files: SplitFiles;
}

serveChild((input: LogitsInput, report: (samples: number) => void): Float32Array => {
  const network = networkOf(input.model, input.manifest);
  const weights = flatten(network.parameters, readSafetensors(readFileSync(input.weights)).tensors);
  const session = new GraphSession(loadTensorFlow().binding, networkGraph({ ...network, ...input.manifest }));
  session.run({ 'set.weights': { shape: [weights.length], data: weights } }, 'done.weights');
  const samples = new Samples(input.manifest, input.files);
  const logits = new Float32Array(samples.count * network.outputs);
  for (let begin = 0; begin < samples.count; begin += BATCH) {
    const count = Math.min(BATCH, samples.count - begin);
    const indices = Uint32Array.from({ length: BATCH }, (_, index) => (index < count ? begin + index : 0));
    const batch = session.run({ samples: samples.feed(indices).samples }, 'logits');
    logits.set(batch.subarray(0, count * network.outputs), begin * network.outputs);
    report(begin + count);
  }
  const target = regressionOf(input.manifest);
  return target === undefined ? logits : logits.map((value) => value * target.scale + target.mean);
});
