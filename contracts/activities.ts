import type { Measurement } from './adversary.ts';
import type { ApprovalClaims } from './approval.ts';
import type { AttackTarget } from './attack-target.ts';
import type { ExtractionCpuActivities, ExtractionGpuActivities } from './extraction-activities.ts';
import type { LoggedRun } from './logged-run.ts';
import type { AttackRecord, AttackResult, BaselineComparison, Measured, MeasuredVersion } from './attack-retest.ts';
import type { ImportFacts, ModelCard, ScanReport } from './import-model.ts';
import type { ArtifactRef } from './reference.ts';
import type { ModelConfig, TrainingConfig } from './model-config.ts';
import type { SignAndReleaseActivities } from './release-activities.ts';
import type { RunContext } from './run-context.ts';
import type { ScoreActivities } from './score-activities.ts';
import type { SearchInput, SearchResult, SearchSpent, TrialRecord } from './search.ts';
import type { SearchValues } from './search-space.ts';
import type { NewLineage, ReusedSteps, StepAnswer, StepKeeping, StepQuery } from './step-cache.ts';
import type { EvaluationSummary, GateResult, TrainGates, TrainResult } from './train-register-deploy.ts';

export type { AttackTarget } from './attack-target.ts';
export type { ExtractionReportRequest, ExtractionShard } from './extraction-activities.ts';
export type { LoggedRun } from './logged-run.ts';
export type { RunContext } from './run-context.ts';

export interface PreparedData {
  /** Manifest (JSON) that names the split tensors by digest, with shapes and preprocessing. */
  readonly manifest: ArtifactRef;
  /** Digest of the data card and of the data it names. */
  readonly cardSha256: string;
  readonly dataSha256: string;
  readonly classes: number;
  readonly counts: { readonly train: number; readonly validation: number; readonly test: number };
}

/** Means over the validation split after an epoch: `accuracy` of classes, `rmse` and `r2` of a quantity. */
export interface EpochMeasure {
  /** From 1. */
  readonly epoch: number;
  /** Cross-entropy in nats, or the squared error of the standardised target. */
  readonly loss: number;
  readonly accuracy?: number;
  /** In the unit of the target. */
  readonly rmse?: number;
  readonly r2?: number;
}

export interface TrainedModel {
  /** Weights (safetensors layout: header JSON + raw little-endian float32). */
  readonly weights: ArtifactRef;
  /** NDJSON, one line a logged step: {step, epoch, loss, accuracy?, valLoss?, valAccuracy?, valRmse?, valR2?, learningRate, throughput}. */
  readonly history: ArtifactRef;
  readonly steps: number;
  readonly seconds: number;
  /** Means over the validation split after the last epoch; absent in results of before there was this field. */
  readonly validation?: EpochMeasure;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * A training runs in segments of at most five minutes, so that priority and fairness of the queue act in between. A
 * segment that is not the last ends in a durable checkpoint at `step`; the workflow calls `trainModel` again with the
 * same arguments until it returns a `TrainedModel`: `while ('continue' in result) result = await trainModel(args)`.
 */
export interface TrainingSegment {
  readonly continue: true;
  readonly step: number;
  readonly steps: number;
}

export interface EvaluatedModel {
  readonly summary: EvaluationSummary;
  /** Full report (JSON): per-class table, confusion matrix, calibration bins, intervals. */
  readonly report: ArtifactRef;
  /** Logits on the test set (raw float32 [samples, classes]) for paired tests and the export check. */
  readonly logits: ArtifactRef;
  /** File name → SVG or PNG. */
  readonly plots: Readonly<Record<string, ArtifactRef>>;
}

export interface ExportedModel {
  readonly onnx: ArtifactRef;
  /** max |Δ| of probabilities over the whole test set. */
  readonly maxAbsDifference: number;
  readonly samples: number;
}

/** A graph from elsewhere inside the platform's interface. */
export interface AdaptedModel extends ExportedModel {
  /** Logarithms of the probabilities on the test set (raw float32 [samples, classes]). */
  readonly logits: ArtifactRef;
}

export interface ImportRecord {
  readonly run: RunContext;
  readonly registerAs: string;
  readonly card: ArtifactRef;
  readonly data: PreparedData;
  readonly evaluated: EvaluatedModel;
  readonly exported: ExportedModel;
  readonly imported: ImportFacts;
  readonly seed: number;
}

export interface SignedModel {
  readonly digest: string;
  readonly files: Readonly<Record<string, ArtifactRef>>;
  readonly signature: ArtifactRef;
}

export interface RegisteredVersion extends SignedModel {
  readonly model: string;
  readonly version: string;
}

/** Results of some batches of a measurement, in order. */
export interface AttackShard {
  readonly batches: readonly ArtifactRef[];
}

/** Queue `saip-cpu`. Every activity is idempotent in its arguments. */
export interface CpuActivities extends ScoreActivities, ExtractionCpuActivities {
  /** `tenant` is the one whose data set of the name is meant; absent in calls of before there was this field. */
  verifyDataCard(a: {
    dataset: string;
    tenant?: string;
  }): Promise<{ cardSha256: string; dataSha256: string; card: ArtifactRef }>;
  prepareData(a: {
    dataset: string;
    tenant?: string;
    seed: number;
    validationShare: number;
    keep?: StepKeeping;
  }): Promise<PreparedData>;
  exportOnnx(a: {
    model: ModelConfig;
    data: PreparedData;
    weights: ArtifactRef;
    logits: ArtifactRef;
    keep?: StepKeeping;
  }): Promise<ExportedModel>;
  /** Looks for a kept result of a stage, and verifies every artifact of it. */
  findStep(a: StepQuery): Promise<StepAnswer>;
  logRun(a: {
    run: RunContext;
    registerAs: string;
    dataset: string;
    model: ModelConfig;
    training: TrainingConfig;
    seed: number;
    card: ArtifactRef;
    data: PreparedData;
    trained: TrainedModel;
    evaluated: EvaluatedModel;
    exported: ExportedModel;
    /** Stages whose results came from earlier runs. */
    reused?: ReusedSteps;
  }): Promise<LoggedRun>;
  /** Judges a file from elsewhere by its structure; loads nothing. */
  scanImport(a: { file: ArtifactRef }): Promise<ScanReport>;
  /** Wraps a scanned graph for the platform, and compares the two on the whole test set. */
  adaptImport(a: { file: ArtifactRef; card: ModelCard; data: PreparedData }): Promise<AdaptedModel>;
  /** Metrics with intervals and plots of what `adaptImport` predicted. */
  evaluateImport(a: {
    registerAs: string;
    data: PreparedData;
    adapted: AdaptedModel;
    seed: number;
  }): Promise<EvaluatedModel>;
  logImport(a: ImportRecord): Promise<LoggedRun>;
  decideGates(a: {
    registerAs: string;
    gates: TrainGates;
    data: PreparedData;
    evaluated: EvaluatedModel;
    exported: ExportedModel;
    /** Result of the robustness gate, where one is asked for. */
    robustness?: GateResult;
  }): Promise<{ results: GateResult[]; subjectDigest: string }>;
  verifyApproval(a: {
    jws: string;
    expected: { workflowId: string; runId: string; stage: string; subjectDigest: string; requestedBy: string };
  }): Promise<ApprovalClaims>;
  /** Gives the signed model its next version in PostgreSQL, which is the truth. */
  registerVersion(a: {
    run: RunContext;
    registerAs: string;
    mlflow: LoggedRun;
    signed: SignedModel;
    evaluated: EvaluatedModel;
    lineage?: NewLineage;
  }): Promise<RegisteredVersion>;
  /** The champion, where it is exactly what the run made: then there is nothing to register. Notes its lineage. */
  unchangedChampion(a: {
    registerAs: string;
    digest: string;
    lineage: NewLineage;
  }): Promise<RegisteredVersion | undefined>;
  /** Shows the version in MLflow. Its own activity, so that a version is known, and can be withdrawn, when this fails. */
  mirrorVersion(a: { run: RunContext; mlflow: LoggedRun; registered: RegisteredVersion }): Promise<void>;
  /** Compensation: marks the version as withdrawn in the registry and MLflow; it can never get an alias again. */
  withdrawVersion(a: { model: string; version: string; reason: string }): Promise<void>;
  /** Compensation: withdraws what a run registered without being told, because the attempt died before it could say. */
  withdrawRegistration(a: { run: RunContext; model: string; reason: string }): Promise<void>;
  finishRun(a: {
    mlflow: LoggedRun;
    status: 'FINISHED' | 'FAILED' | 'KILLED';
    outcome: string;
    reasons: string[];
  }): Promise<void>;
  /** Ends what `logRun` began in MLflow and did not finish. */
  finishUnloggedRun(a: {
    run: RunContext;
    dataset: string;
    registerAs: string;
    status: 'FAILED' | 'KILLED';
    outcome: string;
    reasons: string[];
  }): Promise<void>;
  // searches
  /** Points of the space, all different; fewer than asked for where it has no more. */
  planSearch(a: { search: SearchInput }): Promise<{ trials: SearchValues[] }>;
  /** Table and curves, in the store and in MLflow: a run of the search, and below it one a trial. */
  reportSearch(a: SearchReportRequest): Promise<{ report: NonNullable<SearchResult['report']>; mlflow: LoggedRun }>;
  // rollout
  currentAlias(a: { model: string; alias: string }): Promise<{ version: string } | undefined>;
  previousChampion(a: { model: string }): Promise<{ version: string } | undefined>;
  /**
   * Appends to the alias log (the truth), then mirrors to MLflow, whose absence holds nothing up: `mirrorAliases` makes
   * up for it. `version: undefined` takes the alias away.
   */
  setAlias(a: {
    run: RunContext;
    model: string;
    alias: string;
    version: string | undefined;
    reason: string;
  }): Promise<void>;
  /** Makes MLflow's `challenger` and `champion` of the model mean what the alias log says. */
  mirrorAliases(a: { model: string }): Promise<void>;
  /** Waits (heartbeating) until every live API process reports that it serves the alias's digest, or says why not. */
  awaitServing(a: { model: string; alias: string; version: string }): Promise<{ replicas: number }>;
  // attacks
  /** A registered version, its signature verified; default: the champion. */
  resolveAttackTarget(a: { model: string; version?: string }): Promise<AttackTarget>;
  /** A graph that is not registered yet. */
  candidateTarget(a: {
    registerAs: string;
    model: ModelConfig;
    data: PreparedData;
    exported: ExportedModel;
  }): Promise<AttackTarget>;
  /** The stored result that this measurement is to be compared with. */
  attackBaseline(a: {
    target: AttackTarget;
    measurement: Measurement;
  }): Promise<{ configSha256: string; batches: number; baseline?: AttackRecord }>;
  /** Lets the served graph predict all examples, and adds the shards up. */
  summariseAttack(a: {
    target: AttackTarget;
    measurement: Measurement;
    shards: readonly AttackShard[];
  }): Promise<{ configSha256: string; measured: Measured }>;
  /** Keeps the result of a registered version. */
  recordAttack(a: {
    run: RunContext;
    target: AttackTarget;
    configSha256: string;
    measurement: Measurement;
    measured: Measured;
  }): Promise<void>;
  /** Report as JSON, Markdown and picture, in the store and in MLflow. */
  reportAttack(a: AttackReportRequest): Promise<{ report: NonNullable<AttackResult['report']>; mlflow: LoggedRun }>;
  audit(a: {
    actor: string;
    action: string;
    subject: string;
    decision: string;
    detail: Record<string, string>;
  }): Promise<void>;
}

export interface AttackReportRequest {
  run: RunContext;
  goal: AttackResult['goal'];
  measurement: Measurement;
  /** The attacked version first, then one a round of hardening. */
  versions: readonly { target: AttackTarget; shards: readonly AttackShard[] }[];
  attacked: MeasuredVersion;
  baseline?: BaselineComparison;
  hardened: NonNullable<AttackResult['hardened']>;
  robustVersion?: string;
  reasons: readonly string[];
}

export interface SearchReportRequest {
  run: RunContext;
  search: SearchInput;
  rungs: readonly number[];
  trials: readonly TrialRecord[];
  /** Number of a trial → its history (NDJSON). */
  histories: Readonly<Record<string, ArtifactRef>>;
  spent: SearchSpent;
  winner?: SearchResult['winner'];
  /** Run of the winner's own training. */
  trained?: TrainResult['mlflow'];
  outcome: string;
  reasons: readonly string[];
}

/** Queue `saip-gpu`, one slot a device. */
export interface GpuActivities extends ExtractionGpuActivities {
  /** Attacks whole batches; every finished one is durable. */
  attackShard(a: {
    run: RunContext;
    target: AttackTarget;
    measurement: Measurement;
    /** Counted from 0. */
    shard: number;
    shards: number;
    batches: readonly number[];
  }): Promise<AttackShard>;
  trainModel(a: {
    run: RunContext;
    model: ModelConfig;
    training: TrainingConfig;
    seed: number;
    data: PreparedData;
    /** Gives the model as it is after this epoch; a call with a later one, or without, goes on from there. */
    stopAfterEpoch?: number;
    keep?: StepKeeping;
  }): Promise<TrainedModel | TrainingSegment>;
  evaluateModel(a: {
    model: ModelConfig;
    data: PreparedData;
    trained: TrainedModel;
    seed: number;
    keep?: StepKeeping;
  }): Promise<EvaluatedModel>;
}

/** Queue `saip-release`; the only login that may sign. */
export interface ReleaseActivities extends SignAndReleaseActivities {
  signModel(a: {
    run: RunContext;
    registerAs: string;
    data: PreparedData;
    card: ArtifactRef;
    evaluated: EvaluatedModel;
    exported: ExportedModel;
    /** The network, or where the model came from. */
    model: ModelConfig | ImportFacts;
  }): Promise<SignedModel>;
}
