import type { EvaluatedModel, ExportedModel, LoggedRun, PreparedData, RunContext } from '../../contracts/activities.ts';
import type { ImportFacts } from '../../contracts/import-model.ts';
import type { ModelConfig } from '../../contracts/model-config.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { NewLineage } from '../../contracts/step-cache.ts';
import type { TrainInput, TrainResult, TrainStage } from '../../contracts/train-register-deploy.ts';
import type { Activities } from '../shared/activities.ts';
import type { ApprovalDesk } from '../shared/approval.ts';
import type { Run } from '../shared/run.ts';
import type { Steps } from './steps.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Stages that every model goes through on its way from a measurement to the champion alias, whoever made it. */
export type ReleaseStage = Extract<
  TrainStage,
  'logRun' | 'gates' | 'approval' | 'signModel' | 'registerVersion' | 'rollout'
>;

/** What those stages share: a training is one, an import another. */
export interface Releasing {
  readonly input: Pick<TrainInput, 'registerAs' | 'gates' | 'approval' | 'rollout' | 'requestedBy' | 'tenant'>;
  readonly context: RunContext;
  readonly run: Run<ReleaseStage>;
  readonly activities: Activities;
  readonly desk: Pick<ApprovalDesk<ReleaseStage>, 'decide'>;
  readonly result: Writable<Pick<TrainResult, 'gates' | 'registered' | 'alias' | 'mlflow' | 'unchanged'>>;
}

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
  readonly evaluated: EvaluatedModel;
  readonly exported: ExportedModel;
  readonly mlflow: LoggedRun;
  /** The network, or where the model came from: what is signed with the graph. */
  readonly model: ModelConfig | ImportFacts;
  /** What its lineage says of how it came about. */
  readonly origin: Pick<NewLineage, 'dataset' | 'gitCommit' | 'codeSha256' | 'weightsSha256' | 'reused'>;
}
