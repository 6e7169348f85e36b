import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  TemporalFailure,
} from '@temporalio/workflow';
import type { Outcome, StageStatus } from '../../contracts/progress.ts';
import type { FailureRule } from '../../contracts/train-register-deploy.ts';
import { Compensations } from './compensations.ts';
import { RunControl } from './control.ts';
import { describeFailure, Rejection, typedFailure } from './failures.ts';
import { RunReport } from './report.ts';
import type { ReportOptions } from './report.ts';

export interface RunOptions<S extends string> extends ReportOptions<S> {
  readonly onFailure: FailureRule;
}

/** How a stage that succeeded is shown, where `done` is not the word. */
export interface StageEnd {
  readonly status: Extract<StageStatus, 'reused' | 'skipped'>;
  readonly detail: string;
}

export interface Conclusion {
  readonly outcome: Exclude<Outcome, 'running'>;
  readonly reasons: string[];
}

/** How a run ends as a result; a failure is thrown instead. */
export type Ending = Conclusion & { readonly outcome: Exclude<Conclusion['outcome'], 'failed'> };

/** A business run: stages in order, switches from outside, compensation, and one of four outcomes. */
export class Run<S extends string> {
  readonly report: RunReport<S>;
  readonly compensations = new Compensations();
  readonly #control: RunControl;
  readonly #onFailure: FailureRule;

  constructor(options: RunOptions<S>) {
    this.report = new RunReport(options);
    this.#control = new RunControl(() => this.report.progress());
    this.#onFailure = options.onFailure;
  }

  /** Why the update `cancel` was sent. */
  get cancelReason(): string | undefined {
    return this.#control.cancelReason;
  }

  /**
   * Runs one stage and reports on it. Under `onFailure: wait` a stage that failed for good stays open for `retryStage`.
   * @param describe one line about the result, shown with the stage
   */
  async stage<T>(name: S, work: () => Promise<T>, describe?: (result: T) => string | StageEnd): Promise<T> {
    for (;;) {
      this.report.begin(name);
      try {
        const result = await work();
        const end = describe?.(result);
        if (typeof end === 'object') this.report.end(name, end.status, end.detail);
        else this.report.end(name, 'done', end);
        return result;
      } catch (error) {
        if (isCancellation(error)) this.report.end(name, 'skipped', 'cancelled');
        else this.report.end(name, 'failed', error instanceof Rejection ? error.message : describeFailure(error));
        if (!(await this.#mayRetry(name, error))) throw error;
      }
    }
  }

  /**
   * Runs `body` and brings the run to its end. A rejection is a result and leaves what was registered; a failure or a
   * cancellation is compensated first.
   * @param finish tells other systems how the run ended; called outside of any cancellation
   * @throws TemporalFailure when the run failed, or when Temporal itself (not the update `cancel`) cancelled it
   */
  async conclude(body: () => Promise<void>, finish: (conclusion: Conclusion) => Promise<string[]>): Promise<Ending> {
    const { conclusion, error } = await this.#attempt(body);
    const { outcome, reasons } = await this.#close(conclusion, finish, error !== undefined);
    if (outcome === 'failed' || (outcome === 'cancelled' && this.cancelReason === undefined)) throw typedFailure(error);
    return { outcome, reasons };
  }

  async #attempt(body: () => Promise<void>): Promise<{ conclusion: Conclusion; error?: TemporalFailure }> {
    try {
      await this.#control.run(body);
      return { conclusion: { outcome: 'completed', reasons: [] } };
    } catch (error) {
      if (error instanceof Rejection) return { conclusion: { outcome: 'rejected', reasons: [...error.reasons] } };
      if (!(error instanceof TemporalFailure)) throw error;
      return { conclusion: this.#conclusionOf(error), error };
    }
  }

  #conclusionOf(error: TemporalFailure): Conclusion {
    if (isCancellation(error)) return { outcome: 'cancelled', reasons: [this.cancelReason ?? 'cancelled in Temporal'] };
    // An attempt that dies while it is being cancelled is not repeated, and so looks like a failure.
    if (this.cancelReason === undefined) return { outcome: 'failed', reasons: [describeFailure(error)] };
    return { outcome: 'cancelled', reasons: [this.cancelReason, describeFailure(error)] };
  }

  async #mayRetry(name: S, error: unknown): Promise<boolean> {
    const failed = error instanceof TemporalFailure && !isCancellation(error);
    if (!failed || this.#onFailure.action === 'fail') return false;
    return this.#control.awaitRetry(name, this.#onFailure.windowSeconds);
  }

  async #close(
    conclusion: Conclusion,
    finish: (conclusion: Conclusion) => Promise<string[]>,
    compensate: boolean,
  ): Promise<Conclusion> {
    this.#control.close();
    return CancellationScope.nonCancellable(async () => {
      const problems = compensate ? await this.compensations.run(conclusion.reasons.join('; ')) : [];
      problems.push(...(await finish(conclusion)));
      const closed = { ...conclusion, reasons: [...conclusion.reasons, ...problems] };
      this.report.close(closed.outcome, closed.reasons);
      await condition(allHandlersFinished);
      return closed;
    });
  }
}
