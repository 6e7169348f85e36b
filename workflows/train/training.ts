import type {
  EvaluatedModel,
  ExportedModel,
  LoggedRun,
  PreparedData,
  RunContext,
  TrainedModel,
} from '../../contracts/activities.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { TrainInput, TrainResult, TrainStage } from '../../contracts/train-register-deploy.ts';
import type { Activities } from '../shared/activities.ts';
import type { ApprovalDesk } from '../shared/approval.ts';
import type { Run } from '../shared/run.ts';
import type { Steps } from './steps.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the parts of a training share. `result` grows from stage to stage. */
export interface Training {
  readonly input: TrainInput;
  readonly context: RunContext;
  readonly run: Run<TrainStage>;
  readonly activities: Activities;
  readonly desk: ApprovalDesk<TrainStage>;
  readonly steps: Steps;
  readonly result: Writable<Omit<TrainResult, 'outcome' | 'reasons'>>;
}

/** A trained, measured, exported and tracked model: all that gates and registration need. */
export interface ProducedModel {
  readonly card: ArtifactRef;
  readonly data: PreparedData;
  readonly trained: TrainedModel;
  readonly evaluated: EvaluatedModel;
  readonly exported: ExportedModel;
  readonly mlflow: LoggedRun;
}
