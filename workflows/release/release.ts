import type { RunContext } from '../../contracts/run-context.ts';
import type { ReleaseInput, ReleaseResult, ReleaseStage } from '../../contracts/sign-and-release.ts';
import type { Activities } from '../shared/activities.ts';
import type { ApprovalDesk } from '../shared/approval.ts';
import type { Run } from '../shared/run.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the parts of a release share. `result` grows from stage to stage. */
export interface Release {
  readonly input: ReleaseInput;
  readonly context: RunContext;
  readonly run: Run<ReleaseStage>;
  readonly activities: Activities;
  readonly desk: ApprovalDesk<ReleaseStage>;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly result: Writable<Omit<ReleaseResult, 'outcome' | 'reasons' | 'model' | 'version'>>;
}
