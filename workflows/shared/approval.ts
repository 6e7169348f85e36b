import { condition, currentUpdateInfo, setHandler } from '@temporalio/workflow';
import { ApproveUpdate } from '../../contracts/approval.ts';
import type { ApprovalClaims } from '../../contracts/approval.ts';
import type { RunContext } from '../../contracts/activities.ts';
import type { Activities } from './activities.ts';
import { failure, parseInput, Rejection, typedFailure } from './failures.ts';
import { approveUpdate } from './messages.ts';
import type { RunReport } from './report.ts';

export interface ApprovalDeskOptions<S extends string> {
  readonly run: RunContext;
  readonly report: RunReport<S>;
  readonly activities: Pick<Activities, 'brief'>;
}

export interface Question<S extends string> {
  readonly stage: S;
  readonly subjectDigest: string;
  readonly timeoutSeconds: number;
}

/** A verified decision, with the statement that proves it. */
export type Decided = ApprovalClaims & { readonly jws: string };

interface OpenQuestion<S extends string> extends Question<S> {
  readonly deadline: number;
  answer: Decided | undefined;
}

/**
 * Where a person's decision enters the run. `approve` carries a JWS that only the API can have signed; an activity
 * verifies it before anything happens, so a Temporal client with an invented identity is refused. A refused JWS fails
 * the update alone: the question stays open for somebody who may answer it.
 */
export class ApprovalDesk<S extends string> {
  readonly #options: ApprovalDeskOptions<S>;
  #question: OpenQuestion<S> | undefined;
  #verifying = 0;

  constructor(options: ApprovalDeskOptions<S>) {
    this.#options = options;
    setHandler(approveUpdate, (update) => this.#answer(update.jws), {
      validator: (update) => {
        parseInput(ApproveUpdate, update);
        this.#openQuestion();
      },
    });
  }

  /**
   * Asks, and waits for a verified answer.
   * @throws Rejection when the answer is no, or when none came in time
   */
  async decide(question: Question<S>): Promise<Decided> {
    const open: OpenQuestion<S> = {
      ...question,
      deadline: Date.now() + question.timeoutSeconds * 1000,
      answer: undefined,
    };
    this.#question = open;
    this.#publish(open);
    try {
      await condition(() => open.answer !== undefined, question.timeoutSeconds * 1000);
      // An answer that came in time counts, also when its verification ends after the deadline.
      await condition(() => open.answer !== undefined || this.#verifying === 0);
    } finally {
      this.#question = undefined;
      this.#options.report.ask();
    }
    return accepted(open);
  }

  #publish(open: OpenQuestion<S>): void {
    const { report, run } = this.#options;
    const deadline = new Date(open.deadline).toISOString();
    report.ask({ stage: open.stage, subjectDigest: open.subjectDigest, requestedBy: run.requestedBy, deadline });
    report.note(open.stage, 'waiting', `for another person than ${run.requestedBy}`);
  }

  #openQuestion(): OpenQuestion<S> {
    const open = this.#question;
    if (open === undefined || open.answer !== undefined || Date.now() > open.deadline) {
      throw failure('APPROVAL_NOT_WAITING', 'The run does not wait for an approval.');
    }
    return open;
  }

  async #answer(jws: string): Promise<Pick<ApprovalClaims, 'decision' | 'sub'>> {
    const open = this.#openQuestion();
    const updateId = currentUpdateInfo()?.id;
    this.#verifying += 1;
    try {
      const claims = await this.#verify(jws, open);
      if (claims.jti !== updateId) {
        throw failure('APPROVAL_INVALID', 'The id of the update is not the id of the approval.', 'jti');
      }
      if (open.answer !== undefined) throw failure('APPROVAL_NOT_WAITING', 'Somebody else answered first.');
      await this.#record(claims);
      open.answer ??= { ...claims, jws };
      return { decision: claims.decision, sub: claims.sub };
    } catch (error) {
      // Whatever went wrong is the answer to this update; it must not end the run.
      throw typedFailure(error);
    } finally {
      this.#verifying -= 1;
    }
  }

  #verify(jws: string, open: OpenQuestion<S>): Promise<ApprovalClaims> {
    const { run, activities } = this.#options;
    const expected = {
      workflowId: run.key,
      runId: run.runId,
      stage: open.stage,
      subjectDigest: open.subjectDigest,
      requestedBy: run.requestedBy,
    };
    return activities.brief('Verify the approval').verifyApproval({ jws, expected });
  }

  /** A verified decision is in the audit log before it takes effect. */
  #record({ sub, decision, subjectDigest, jti }: ApprovalClaims): Promise<void> {
    const { run, activities } = this.#options;
    return activities.brief(`Audit: ${decision} by ${sub}`).audit({
      actor: sub,
      action: 'workflow:approve',
      subject: subjectDigest,
      decision,
      detail: { workflowId: run.key, jti },
    });
  }
}

function accepted<S extends string>(open: OpenQuestion<S>): Decided {
  const { answer } = open;
  if (answer === undefined) throw new Rejection([`nobody approved within ${open.timeoutSeconds} s`]);
  if (answer.decision === 'reject') {
    throw new Rejection([`${answer.sub} rejected it${answer.comment ? `: ${answer.comment}` : ''}`]);
  }
  return answer;
}
