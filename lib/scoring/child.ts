import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { serveChild } from '../heavy/index.ts';
import { ScoringError } from './errors.ts';
import type { ShardJob, ShardProgress, ShardScore } from './score-in-child.ts';
import { scoreShard, type Run } from './score-shard.ts';

/** One thread: a second one spins on a busy machine, and results must not depend on how many there are. */
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
};

serveChild(async (job: ShardJob, report: (progress: ShardProgress) => void): Promise<ShardScore> => {
  const session = await load(job);
  const [predictions, refused] = [createWriteStream(job.predictions), createWriteStream(job.refused)];
  const score = await scoreShard(job, {
    run: runner(session),
    predicted: (lines) => write(predictions, lines),
    refused: (lines) => write(refused, lines),
    progress: report,
  });
  for (const file of [predictions, refused]) {
    file.end();
    await finished(file);
  }
  return score;
});

/** From bytes that are hashed here: what was verified is what runs. */
async function load({ graph: { path, sha256 } }: ShardJob): Promise<InferenceSession> {
  const bytes = await readFile(path);
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw new ScoringError('MODEL_LOAD_FAILED', 'The graph changed while it was loaded.');
  }
  try {
    return await InferenceSession.create(bytes, SESSION_OPTIONS);
  } catch (cause) {
    throw new ScoringError('MODEL_LOAD_FAILED', `ONNX Runtime refused the model: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function runner(session: InferenceSession): Run {
  return async (inputs, fetches) => {
    const feeds = Object.entries(inputs).map(([name, { type, data, dims }]) => [
      name,
      new Tensor(type as 'float32', data as Float32Array, dims),
    ]);
    try {
      return await session.run(Object.fromEntries(feeds) as Record<string, Tensor>, [...fetches]);
    } catch (cause) {
      throw new ScoringError(
        'TENSOR_INVALID',
        `The model does not take its own features: ${(cause as Error).message}`,
        {
          cause,
        },
      );
    }
  };
}

/** Waits where the disk is slower than the model. */
async function write(file: WriteStream, lines: readonly string[]): Promise<void> {
  if (lines.length > 0 && !file.write(`${lines.join('\n')}\n`)) await once(file, 'drain');
}
