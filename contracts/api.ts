import { z } from 'zod';
import { AttackRecord, AttackRequest, AttackResult } from './attack-retest.ts';
import { AgentTaskResult } from './agent-task.ts';
import { Preset } from './model-config.ts';
import { ExtractionRecord, ExtractionResult } from './extraction.ts';
import { AttackHeartbeat, Progress, TrainingHeartbeat } from './progress.ts';
import { Name, Sha256 } from './reference.ts';
import { AliasEvent, ModelVersion, RolloutResult } from './registry.ts';
import { SearchResult } from './search.ts';
import { TrialResult } from './trial.ts';
import { ScoreResult } from './batch-score.ts';
import { ImportResult } from './import-model.ts';
import { ReleaseResult } from './sign-and-release.ts';
import { TrainRequest, TrainResult } from './train-register-deploy.ts';

/** ISO 8601 with a time zone, as the API writes every time (UTC). */
export const Timestamp = z.iso.datetime({ offset: true });

// ---- errors -----------------------------------------------------------------------------------------------------

/** One field of a request that is wrong; `field` is a path such as `body.training.epochs`. */
export const FieldError = z.object({ field: z.string(), message: z.string() });
export type FieldError = z.infer<typeof FieldError>;

/** RFC 9457 problem details, media type `application/problem+json`, with this platform's members. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
  instance: z.string(),
  /** A key of `ERRORS`. */
  code: z.string(),
  /** W3C trace id: the same in logs and traces. */
  traceId: z.string(),
  /** What the caller can do about it. */
  hint: z.string(),
  errors: z.array(FieldError).optional(),
  /** Same text as `detail`; on `/v2` (Open Inference Protocol) and the OAuth code on `/v1/auth/token`. */
  error: z.string().optional(),
});
export type Problem = z.infer<typeof Problem>;

// ---- paging -----------------------------------------------------------------------------------------------------

/** Opaque: `nextPageToken` of the page before, in base64url. */
export const PageToken = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[\w-]+$/, 'the nextPageToken of a page');

export const PageQuery = z.strictObject({
  pageToken: PageToken.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const page = { nextPageToken: z.string().optional() };

// ---- workflows --------------------------------------------------------------------------------------------------

/** `Idempotency-Key`: the same key with the same body starts nothing new and gets the same answer. */
export const IdempotencyKey = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces');

/** Workflow types as the Temporal UI names them. */
export const WorkflowType = z.enum([
  'trainRegisterDeploy',
  'searchHyperparameters',
  'runTrial',
  'rolloutModel',
  'attackRetest',
  'measureExtraction',
  'signAndRelease',
  'agentTask',
  'importModel',
  'batchScore',
]);
export type WorkflowType = z.infer<typeof WorkflowType>;

/** State of an execution; whether the business said no is in `result.outcome`. */
export const WorkflowStatus = z.enum([
  'running',
  'paused',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'timed-out',
  'continued-as-new',
]);
export type WorkflowStatus = z.infer<typeof WorkflowStatus>;

/** Ids are the platform's own: letters, digits and `._:-`. */
export const WorkflowId = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]*$/, 'letters, digits, ".", "_", ":" and "-"');

export const WorkflowLinks = z.object({
  self: z.string(),
  events: z.string(),
  /** The execution in the Temporal UI, where the deployment names one. */
  temporal: z.string().optional(),
});

/** 202 answer of every start. */
export const WorkflowStarted = z.object({ workflowId: z.string(), runId: z.string(), links: WorkflowLinks });
export type WorkflowStarted = z.infer<typeof WorkflowStarted>;

export const WorkflowSummary = z.object({
  workflowId: z.string(),
  runId: z.string(),
  type: z.string(),
  status: WorkflowStatus,
  startedAt: Timestamp,
  closedAt: Timestamp.optional(),
  model: z.string().optional(),
  dataset: z.string().optional(),
  stage: z.string().optional(),
  requestedBy: z.string().optional(),
  links: WorkflowLinks,
});
export type WorkflowSummary = z.infer<typeof WorkflowSummary>;

export const WorkflowListQuery = PageQuery.extend({
  type: WorkflowType.optional(),
  status: WorkflowStatus.optional(),
  model: Name.optional(),
});
export const WorkflowList = z.object({ workflows: z.array(WorkflowSummary), ...page });
export type WorkflowList = z.infer<typeof WorkflowList>;

/** An activity that is scheduled or runs now. */
export const PendingActivity = z.object({
  name: z.string(),
  attempt: z.int(),
  startedAt: Timestamp.optional(),
  lastHeartbeatAt: Timestamp.optional(),
  /** Message of the attempt before, and when the next one is due. */
  lastFailure: z.string().optional(),
  nextAttemptAt: Timestamp.optional(),
});
export type PendingActivity = z.infer<typeof PendingActivity>;

/** `Progress` of the workflow with what only the pending activity knows merged in: `percent`, `eta` and `metrics`
 * move with the training's heartbeats. */
export const LiveProgress = Progress.extend({
  training: TrainingHeartbeat.optional(),
  /** One entry a shard that runs now. */
  attacks: z.array(AttackHeartbeat).optional(),
  activities: z.array(PendingActivity),
});
export type LiveProgress = z.infer<typeof LiveProgress>;

export const WorkflowFailure = z.object({
  message: z.string(),
  /** A key of `ERRORS` where the platform failed on purpose, else the failure's type. */
  code: z.string().optional(),
  hint: z.string().optional(),
});

export const WorkflowDetail = WorkflowSummary.extend({
  /** Absent when no worker could answer the query (`progressUnavailable` says why). */
  progress: LiveProgress.optional(),
  progressUnavailable: z.string().optional(),
  /** Each is strict, so that what is read is the one that was written. */
  result: z
    .union([
      RolloutResult,
      TrainResult,
      ImportResult,
      ScoreResult,
      ReleaseResult,
      AttackResult,
      ExtractionResult,
      AgentTaskResult,
      SearchResult,
      TrialResult,
    ])
    .optional(),
  failure: WorkflowFailure.optional(),
});
export type WorkflowDetail = z.infer<typeof WorkflowDetail>;

/** Data of the SSE event `progress`. The last event of a stream is `end`, with a `WorkflowDetail`. */
export const WorkflowEvent = z.object({
  workflowId: z.string(),
  runId: z.string(),
  status: WorkflowStatus,
  progress: LiveProgress.optional(),
  progressUnavailable: z.string().optional(),
});
export type WorkflowEvent = z.infer<typeof WorkflowEvent>;

/** Answer of approve, cancel and retry: the update was accepted by the workflow. */
export const WorkflowUpdated = z.object({ workflowId: z.string(), updateId: z.string() });
export type WorkflowUpdated = z.infer<typeof WorkflowUpdated>;

// ---- models -----------------------------------------------------------------------------------------------------

/** What one API process says about one alias. */
export const ServingReport = z.object({
  /** The API process: host and pid. */
  replica: z.string(),
  state: z.enum(['ready', 'loading', 'refused']),
  version: z.string().optional(),
  digest: Sha256.optional(),
  /** A key of `ERRORS` when refused. */
  code: z.string().optional(),
  reason: z.string().optional(),
  at: Timestamp,
});
export type ServingReport = z.infer<typeof ServingReport>;

export const AliasState = z.object({
  alias: Name,
  version: z.string(),
  digest: Sha256,
  since: Timestamp,
  actor: z.string(),
  reason: z.string(),
  workflowId: z.string(),
});
export type AliasState = z.infer<typeof AliasState>;

export const ModelSummary = z.object({
  name: Name,
  versions: z.int(),
  latestVersion: z.string(),
  /** Alias → version. */
  aliases: z.record(z.string(), z.string()),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type ModelSummary = z.infer<typeof ModelSummary>;
export const ModelList = z.object({ models: z.array(ModelSummary), ...page });
export type ModelList = z.infer<typeof ModelList>;

export const ModelVersionView = ModelVersion.extend({
  aliases: z.array(z.string()),
  /** Set when a compensation took the version out of circulation. */
  withdrawn: z.object({ at: Timestamp, reason: z.string() }).optional(),
});
export type ModelVersionView = z.infer<typeof ModelVersionView>;
export const ModelVersionList = z.object({ model: Name, versions: z.array(ModelVersionView), ...page });
export type ModelVersionList = z.infer<typeof ModelVersionList>;

export const AliasView = AliasState.extend({ serving: z.array(ServingReport) });
export const AliasList = z.object({ model: Name, aliases: z.array(AliasView) });
export type AliasList = z.infer<typeof AliasList>;

export const ModelDetail = ModelSummary.extend({
  latest: ModelVersionView,
  champion: AliasView.optional(),
});
export type ModelDetail = z.infer<typeof ModelDetail>;

export const HistoryQuery = PageQuery.extend({ alias: Name.optional(), at: Timestamp.optional() });
/** Newest first. With `?at=`, `live` answers "what was live then?" and `events` are those up to that time. */
export const AliasHistory = z.object({
  model: Name,
  at: Timestamp.optional(),
  live: z.array(AliasState).optional(),
  events: z.array(AliasEvent),
  ...page,
});
export type AliasHistory = z.infer<typeof AliasHistory>;

export const PresetView = Preset.extend({ name: Name });
export type PresetView = z.infer<typeof PresetView>;
export const PresetList = z.object({ presets: z.array(PresetView) });
export type PresetList = z.infer<typeof PresetList>;

// ---- attacks ----------------------------------------------------------------------------------------------------

export const AttackListQuery = PageQuery.extend({ model: Name.optional() });
/** Newest first. */
export const ExtractionList = z.object({ extractions: z.array(ExtractionRecord), ...page });
export type ExtractionList = z.infer<typeof ExtractionList>;

export const AttackList = z.object({ attacks: z.array(AttackRecord), ...page });
export type AttackList = z.infer<typeof AttackList>;

// ---- data sets --------------------------------------------------------------------------------------------------

export const DatasetSummary = z.object({
  name: Name,
  title: z.string(),
  description: z.string(),
  license: z.string(),
  /** SHA-256 of the card's canonical JSON. */
  cardSha256: Sha256.optional(),
  /** Of a data set that somebody added; absent for a built-in one. */
  version: z.int().min(1).optional(),
  addedBy: z.string().optional(),
  addedAt: Timestamp.optional(),
});
export type DatasetSummary = z.infer<typeof DatasetSummary>;
export const DatasetList = z.object({ datasets: z.array(DatasetSummary) });
export type DatasetList = z.infer<typeof DatasetList>;
export const DatasetDetail = DatasetSummary.extend({
  /** The Croissant 1.1 JSON-LD card as it is. */
  card: z.record(z.string(), z.unknown()),
});
export type DatasetDetail = z.infer<typeof DatasetDetail>;

// ---- schedules --------------------------------------------------------------------------------------------------

const cronField = '[0-9A-Za-z*/,?L#-]+';
/** Five fields (minute hour day month weekday) or one of `@yearly @monthly @weekly @daily @hourly`. */
export const Cron = z
  .string()
  .max(128)
  .regex(
    new RegExp(`^(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|${cronField}(?: ${cronField}){4})$`),
    'a cron expression of five fields, such as "0 3 * * *"',
  );

/** Name of the IANA time zone database, such as `Europe/Berlin`. */
export const TimeZone = z.string().min(1).max(64).refine(isTimeZone, 'a time zone of the IANA database');

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Body of `POST /v1/schedules`: retrains or attacks on a cron; default nightly at 03:00. Exactly one of the two. */
export const ScheduleRequest = z
  .strictObject({
    id: Name,
    cron: Cron.default('0 3 * * *'),
    timezone: TimeZone.default('UTC'),
    train: TrainRequest.optional(),
    attack: AttackRequest.optional(),
    /** When the run before is still going. */
    overlap: z.enum(['skip', 'buffer-one', 'cancel-other']).default('skip'),
    paused: z.boolean().default(false),
    note: z.string().max(500).optional(),
  })
  .refine(({ train, attack }) => (train === undefined) !== (attack === undefined), {
    message: 'exactly one of "train" and "attack" is needed',
    path: ['train'],
  });
export type ScheduleRequest = z.infer<typeof ScheduleRequest>;

export const ScheduleNote = z.strictObject({ note: z.string().max(500).optional() });

export const ScheduleView = z.object({
  id: z.string(),
  cron: z.string(),
  timezone: z.string(),
  overlap: z.string(),
  /** What it starts. */
  workflowType: WorkflowType,
  model: z.string(),
  /** Of a training. */
  dataset: z.string().optional(),
  requestedBy: z.string(),
  paused: z.boolean(),
  note: z.string().optional(),
  nextRuns: z.array(Timestamp),
  recentRuns: z.array(
    z.object({ workflowId: z.string(), runId: z.string(), scheduledAt: Timestamp, startedAt: Timestamp }),
  ),
  createdAt: Timestamp.optional(),
});
export type ScheduleView = z.infer<typeof ScheduleView>;
export const ScheduleList = z.object({ schedules: z.array(ScheduleView), ...page });
export type ScheduleList = z.infer<typeof ScheduleList>;

/** Answer of trigger, pause and unpause. */
export const ScheduleChanged = z.object({ id: z.string(), paused: z.boolean() });
export type ScheduleChanged = z.infer<typeof ScheduleChanged>;

// ---- Temporal UI codec ------------------------------------------------------------------------------------------

const base64 = z.base64();
/** JSON form of `temporal.api.common.v1.Payloads`. */
export const CodecPayloads = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), base64).optional(), data: base64.optional() })).max(1000),
});
export type CodecPayloads = z.infer<typeof CodecPayloads>;

// ---- health -----------------------------------------------------------------------------------------------------

export const Liveness = z.object({ status: z.literal('live') });
export const Readiness = z.object({
  status: z.enum(['ready', 'not-ready']),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() })),
});
export type Readiness = z.infer<typeof Readiness>;
