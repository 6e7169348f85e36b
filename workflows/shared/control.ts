import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import { CancelUpdate, RetryStageUpdate } from '../../contracts/approval.ts';
import type { Progress } from '../../contracts/progress.ts';
import { failure, parseInput } from './failures.ts';
import { cancelUpdate, progressQuery, retryStageUpdate } from './messages.ts';

/** The switches that a run offers from outside: `progress`, `cancel` and `retryStage`. */
export class RunControl {
  readonly #scope = new CancellationScope({ cancellable: true });
  #cancelReason: string | undefined;
  #closed = false;
  /** The stage that failed and waits for `retryStage`. */
  #failed: string | undefined;

  constructor(progress: () => Progress) {
    setHandler(progressQuery, progress);
    setHandler(cancelUpdate, (update) => this.#cancel(update.reason), {
      validator: (update) => {
        parseInput(CancelUpdate, update);
        if (this.#closed) throw failure('WORKFLOW_CLOSED', 'The workflow is ending already.');
      },
    });
    setHandler(retryStageUpdate, () => this.#retry(), {
      validator: (update) => {
        const { stage } = parseInput(RetryStageUpdate, update);
        if (stage !== this.#failed)
          throw failure('STAGE_NOT_FAILED', `Stage ${stage} does not wait for a retry.`, 'stage');
      },
    });
  }

  /** Why `cancel` was called, or undefined when it was not. */
  get cancelReason(): string | undefined {
    return this.#cancelReason;
  }

  /** Runs `body` so that `cancel`, and a cancellation by Temporal itself, stop what it waits for. */
  run<T>(body: () => Promise<T>): Promise<T> {
    return this.#scope.run(body);
  }

  /** From here on nothing can be cancelled or retried: the outcome is known. */
  close(): void {
    this.#closed = true;
  }

  /** Keeps a failed stage open. @returns whether somebody asked for a retry within `seconds` */
  async awaitRetry(stage: string, seconds: number): Promise<boolean> {
    this.#failed = stage;
    try {
      return await condition(() => this.#failed === undefined, seconds * 1000);
    } finally {
      this.#failed = undefined;
    }
  }

  #cancel(reason: string): void {
    this.#cancelReason ??= reason;
    this.#scope.cancel();
  }

  #retry(): void {
    this.#failed = undefined;
  }
}
