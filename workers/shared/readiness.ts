import { rm } from 'node:fs/promises';
import type { Worker } from '@temporalio/worker';
import writeFileAtomic from 'write-file-atomic';

const POLL_MS = 20;

/**
 * Writes `file` once the worker takes work, and removes it when that ends; whoever supervises the process waits for it.
 * @param file `SAIP_READY_FILE`; without it nothing happens
 */
export async function announce<T>(worker: Worker, file: string | undefined, running: Promise<T>): Promise<T> {
  if (file === undefined) return running;
  const written = whenPolling(worker).then((polls) =>
    polls ? writeFileAtomic(file, `${process.pid}\n`, { mode: 0o600 }) : undefined,
  );
  try {
    return await running;
  } finally {
    await written;
    await rm(file, { force: true });
  }
}

async function whenPolling(worker: Worker): Promise<boolean> {
  for (;;) {
    const { runState, hasOutstandingActivityPoll, hasOutstandingWorkflowPoll } = worker.getStatus();
    if (runState === 'RUNNING' && (hasOutstandingActivityPoll || hasOutstandingWorkflowPoll)) return true;
    if (runState !== 'INITIALIZED' && runState !== 'RUNNING') return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
