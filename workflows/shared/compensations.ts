import { log } from '@temporalio/workflow';
import { describeFailure } from './failures.ts';

interface Step {
  readonly name: string;
  readonly undo: (reason: string) => Promise<void>;
}

/** Saga: what was done outside is undone in reverse order when the run cannot be completed. */
export class Compensations {
  readonly #steps: Step[] = [];

  /** Register before the action itself: an action that failed half-way must be undone too. */
  add(name: string, undo: (reason: string) => Promise<void>): void {
    this.#steps.push({ name, undo });
  }

  /**
   * Runs every step, also after one failed. Call it in a non-cancellable scope.
   * @returns one sentence for each step that could not be undone
   */
  async run(reason: string): Promise<string[]> {
    const problems: string[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step.undo(reason);
      } catch (error) {
        log.error('a compensation failed', { step: step.name, error });
        problems.push(`Not undone: ${step.name} (${describeFailure(error)})`);
      }
    }
    return problems;
  }
}
