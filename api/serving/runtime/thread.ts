import { parentPort } from 'node:worker_threads';
import { buffersOf, type TensorData } from '../tensors.ts';
import { OrtSession } from './session.ts';
import type { ThreadReply, ThreadRequest } from './thread-messages.ts';

/** Entry of an inference thread: holds its own sessions and answers one request after the other. */
const sessions = new Map<string, OrtSession>();
const port = parentPort;
if (!port) throw new Error('This module is the entry of a worker thread.');

let queue: Promise<void> = Promise.resolve();
port.on('message', (request: ThreadRequest) => {
  queue = queue.then(() => answer(request));
});

async function answer(request: ThreadRequest): Promise<void> {
  try {
    const outputs = await perform(request);
    const copies = outputs && copy(outputs);
    const transfer = copies ? buffersOf(copies) : [];
    port?.postMessage({ id: request.id, ok: true, outputs: copies } satisfies ThreadReply, transfer);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    port?.postMessage({ id: request.id, ok: false, message } satisfies ThreadReply);
  }
}

async function perform(request: ThreadRequest): Promise<Record<string, TensorData> | undefined> {
  if (request.kind === 'load') {
    sessions.set(request.key, await OrtSession.create(request.bytes, request.settings));
    return undefined;
  }
  const session = sessions.get(request.key);
  if (request.kind === 'unload') {
    sessions.delete(request.key);
    await session?.release();
    return undefined;
  }
  if (!session) throw new Error(`No model is loaded as ${request.key}.`);
  return session.run(request.feeds, request.fetches);
}

/** Native memory cannot be transferred; a copy can. */
function copy(outputs: Record<string, TensorData>): Record<string, TensorData> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]),
  );
}
