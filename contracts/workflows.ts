import { attackName } from './adversary.ts';
import type { WorkflowType } from './api.ts';
import type { AttackInput } from './attack-retest.ts';
import type { ScoreInput } from './batch-score.ts';
import type { ExtractionInput } from './extraction.ts';
import type { ImportInput } from './import-model.ts';
import type { Pool, SEARCH_ATTRIBUTES } from './queues.ts';
import { TASK_QUEUES } from './queues.ts';
import type { RolloutInput } from './registry.ts';
import type { SearchInput } from './search.ts';
import type { TrialInput } from './trial.ts';
import type { SearchRange } from './search-space.ts';
import type { ReleaseInput } from './sign-and-release.ts';
import type { TrainInput } from './train-register-deploy.ts';
import type { AgentTaskInput } from './agent-task.ts';

/** Names of the messages that workflows answer. Arguments: contracts/approval.ts; answer of `progress`: contracts/progress.ts. */
export const WORKFLOW_MESSAGES = {
  progress: 'progress',
  approve: 'approve',
  cancel: 'cancel',
  retryStage: 'retryStage',
} as const;

/** What a run may change without a person looking: `high` reaches live traffic unapproved, `low` only registers. */
export type Risk = 'low' | 'medium' | 'high';

/** Smaller goes first. What a person waits for comes before what a schedule started. */
export const PRIORITY = { interactive: 2, ordinary: 3, scheduled: 4 } as const;

export interface TaskPriority {
  readonly priorityKey: number;
  /** Tenants share a queue in equal parts, whatever the number of their runs. */
  readonly fairnessKey: string;
}

/** What every starter (API, schedule, parent workflow) sets, so that lists and the Temporal UI read like a report. */
export interface WorkflowStart {
  readonly workflowType: WorkflowType;
  readonly taskQueue: (typeof TASK_QUEUES)[Pool];
  /** One line of plain text: the timeline of a parent shows it as it is. */
  readonly staticSummary: string;
  /** Markdown: what was asked for. */
  readonly staticDetails: string;
  readonly searchAttributes: Readonly<Partial<Record<keyof typeof SEARCH_ATTRIBUTES, string>>>;
  readonly priority: TaskPriority;
}

const SCHEDULE_PREFIX = 'schedule:';

/** `requestedBy` of runs that a schedule starts. */
export function scheduleSubject(scheduleId: string): string {
  return `${SCHEDULE_PREFIX}${scheduleId}`;
}

function priorityOf(requestedBy: string, tenant: string, person: number = PRIORITY.ordinary): TaskPriority {
  return { priorityKey: requestedBy.startsWith(SCHEDULE_PREFIX) ? PRIORITY.scheduled : person, fairnessKey: tenant };
}

function riskOf(input: Pick<TrainInput, 'rollout' | 'approval'>): Risk {
  if (!input.rollout) return 'low';
  return input.approval.required ? 'medium' : 'high';
}

/** A value of the caller's choosing inside a Markdown table cell. */
function cell(value: string | number): string {
  return String(value).replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

function table(rows: readonly (readonly [string, string | number])[]): string {
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${cell(value)} |`)].join('\n');
}

interface Asked {
  readonly type: WorkflowType;
  readonly summary: string;
  /** Of the table of what was asked for; who asked is its last one. */
  readonly rows: readonly (readonly [string, string | number])[];
  readonly attributes: Pick<WorkflowStart['searchAttributes'], 'SaipModel' | 'SaipDataset'>;
  readonly risk: Risk;
  readonly by: { readonly requestedBy: string; readonly tenant: string };
  /** Of a run that no schedule started; default: ordinary. */
  readonly priority?: number;
}

function startOf({ type, summary, rows, attributes, risk, by, priority }: Asked): WorkflowStart {
  return {
    workflowType: type,
    taskQueue: TASK_QUEUES.orchestration,
    staticSummary: summary,
    staticDetails: table([...rows, ['Requested by', by.requestedBy]]),
    searchAttributes: { ...attributes, SaipRequestedBy: by.requestedBy, SaipRisk: risk, SaipStage: 'queued' },
    priority: priorityOf(by.requestedBy, by.tenant, priority),
  };
}

/** How to start `trainRegisterDeploy`. The workflow id is the starter's: it derives from the idempotency key. */
export function trainingStart(input: TrainInput): WorkflowStart {
  return startOf({
    type: 'trainRegisterDeploy',
    summary: `Train ${input.model.name} on ${input.dataset}, register as ${input.registerAs}`,
    rows: [
      ['Model', input.model.name],
      ['Data set', input.dataset],
      ['Registered as', input.registerAs],
      ['Epochs', input.training.epochs],
      ['Batch size', input.training.batchSize],
      ['Seed', input.seed],
      ['Approval', input.approval.required ? `within ${input.approval.timeoutSeconds} s` : 'not asked for'],
      ['Rollout', input.rollout ? 'to champion' : 'no'],
    ],
    attributes: { SaipModel: input.registerAs, SaipDataset: input.dataset },
    risk: riskOf(input),
    by: input,
  });
}

/** How to start `searchHyperparameters`. The workflow id is the starter's: it derives from the idempotency key. */
export function searchStart({ train, space, budget, objective }: SearchInput): WorkflowStart {
  const training = trainingStart(train);
  const ranges = Object.entries(space).map(([path, range]) => [path, describeRange(range)] as const);
  return {
    ...training,
    workflowType: 'searchHyperparameters',
    staticSummary: `Search for ${train.model.name} on ${train.dataset}, register the best as ${train.registerAs}`,
    staticDetails: [
      training.staticDetails,
      table([
        ['Compared by', `validation ${objective}`],
        ['Trials', `${budget.trials}, ${budget.parallel} at a time, η = ${budget.eta}`],
        ['Budget', `${budget.minutes} minutes`],
        ...ranges,
      ]),
    ].join('\n\n'),
  };
}

/** Id of a rung of a trial. */
export function trialWorkflowId({ key, rung }: Pick<TrialInput, 'key' | 'rung'>): string {
  return `${key}-rung-${rung}`;
}

/** How a search starts `runTrial`, under {@link trialWorkflowId}. */
export function trialStart(input: TrialInput): WorkflowStart {
  const { trial, stopAfterEpoch, model, dataset, registerAs } = input;
  return startOf({
    type: 'runTrial',
    summary: `Trial ${trial} of ${model.name}, up to epoch ${stopAfterEpoch}`,
    rows: [
      ['Model', model.name],
      ['Data set', dataset],
      ['Batch size', input.training.batchSize],
      ['Optimiser', `${input.training.optimizer.type}, ${input.training.optimizer.learningRate.initial}`],
    ],
    attributes: { SaipModel: registerAs, SaipDataset: dataset },
    // A trial registers nothing.
    risk: 'low',
    by: input,
  });
}

function describeRange(range: SearchRange): string {
  return range.kind === 'choice' ? range.values.join(', ') : `${range.kind} ${range.low} … ${range.high}`;
}

/** How to start `importModel`. The workflow id is the starter's: it derives from the idempotency key. */
export function importStart(input: ImportInput): WorkflowStart {
  const { card, file, registerAs } = input;
  return startOf({
    type: 'importModel',
    summary: `Import ${card.name} from ${card.framework.name}, register as ${registerAs}`,
    rows: [
      ['Model', card.name],
      ['Framework', [card.framework.name, card.framework.version ?? ''].join(' ').trim()],
      ['File', `${file.sha256.slice(0, 12)}, ${file.bytes} bytes`],
      ['Source', card.source],
      ['Data set', card.dataset],
      ['Registered as', registerAs],
      ['Approval', input.approval.required ? `within ${input.approval.timeoutSeconds} s` : 'not asked for'],
      ['Rollout', input.rollout ? 'to champion' : 'no'],
    ],
    attributes: { SaipModel: registerAs, SaipDataset: card.dataset },
    risk: riskOf(input),
    by: input,
  });
}

/**
 * One rollout at a time per model: the id is the lock. Start with the conflict policy `FAIL` and the reuse policy
 * `ALLOW_DUPLICATE`; a second start while one runs answers "already started" (`ROLLOUT_IN_PROGRESS`).
 */
export function rolloutWorkflowId(model: string): string {
  return `rollout-${model}`;
}

/** How to start `rolloutModel`, under {@link rolloutWorkflowId}. */
export function rolloutStart(input: RolloutInput, tenant = 'default'): WorkflowStart {
  const promotes = input.kind === 'promote';
  const target = promotes ? `version ${input.version}` : `version ${input.toVersion ?? 'before the present champion'}`;
  return startOf({
    type: 'rolloutModel',
    summary: promotes ? `Roll out ${input.model} ${target}` : `Roll ${input.model} back to ${target}`,
    rows: [['Model', input.model], ['Target', target], ...(promotes ? [] : [['Reason', input.reason] as const])],
    attributes: { SaipModel: input.model },
    risk: promotes ? 'high' : 'medium',
    by: { requestedBy: input.requestedBy, tenant },
    // A rollback answers an incident: it overtakes trainings.
    priority: promotes ? PRIORITY.ordinary : PRIORITY.interactive,
  });
}

/** One release of a version at a time: the id is the lock, as it is for rollouts ({@link rolloutWorkflowId}). */
export function releaseWorkflowId(model: string, version: string): string {
  return `release-${model}-${version}`;
}

/** How to start `signAndRelease`, under {@link releaseWorkflowId}. */
export function releaseStart(input: ReleaseInput): WorkflowStart {
  return startOf({
    type: 'signAndRelease',
    summary: `Release ${input.model} version ${input.version}`,
    rows: [
      ['Model', input.model],
      ['Version', input.version],
      ['Risk', input.risk],
      ['Attack report', input.requireAttackReport ? 'asked for' : 'as policy says'],
      ['Approval', input.approval.required ? `within ${input.approval.timeoutSeconds} s` : 'as policy says'],
      ...(input.notes === undefined ? [] : [['Notes', input.notes] as const]),
    ],
    attributes: { SaipModel: input.model },
    risk: input.risk,
    by: input,
  });
}

/** How to start `attackRetest`. The workflow id is the starter's: it derives from the idempotency key. */
export function attackStart(input: AttackInput): WorkflowStart {
  const { model, version, measurement, goal, harden, budget } = input;
  const target = version === undefined ? 'champion' : `version ${version}`;
  return startOf({
    type: 'attackRetest',
    summary: `Attack ${model} ${target}${harden === undefined ? '' : ', harden it if it breaks'}`,
    rows: [
      ['Model', model],
      ['Target', target],
      ['Attacks', measurement.attacks.map(attackName).join(', ')],
      ['ε', measurement.epsilons.join(', ')],
      ['Samples', measurement.samples],
      ['Goal', `at least ${goal.minRobustAccuracy} at ε = ${goal.epsilon}`],
      ['Hardening', harden === undefined ? 'no' : `at most ${budget.rounds} rounds, ${budget.minutes} minutes`],
    ],
    attributes: { SaipModel: model },
    // A hardened version is registered and no more.
    risk: 'low',
    by: input,
  });
}

/** How to start `measureExtraction`. The workflow id is the starter's: it derives from the idempotency key. */
export function extractionStart(input: ExtractionInput): WorkflowStart {
  const { model, version, extraction, threshold } = input;
  const target = version === undefined ? 'champion' : `version ${version}`;
  return startOf({
    type: 'measureExtraction',
    summary: `Measure what a copy of ${model} ${target} costs in queries`,
    rows: [
      ['Model', model],
      ['Target', target],
      ['Queries', extraction.queries.join(', ')],
      ['Answers', extraction.answers.join(', ')],
      ['Own samples', extraction.ownSamples ?? 'half of the test set'],
      ['A copy', `from a fidelity of ${threshold} on`],
    ],
    attributes: { SaipModel: model },
    // Nothing is registered.
    risk: 'low',
    by: input,
  });
}

/** How to start `batchScore`. The workflow id is the starter's: it derives from the idempotency key. */
export function scoreStart(input: ScoreInput): WorkflowStart {
  const { model, alias, file, format } = input;
  return startOf({
    type: 'batchScore',
    summary: `Score a file with ${model}@${alias}`,
    rows: [
      ['Model', `${model}@${alias}`],
      ['File', `${file.sha256.slice(0, 12)}, ${file.bytes} bytes of ${format}`],
    ],
    attributes: { SaipModel: model },
    // It changes nothing but the file of its answers.
    risk: 'low',
    by: input,
  });
}

/** How to start `agentTask`. The question stays out of what Temporal shows in clear. */
export function agentTaskStart(input: AgentTaskInput): WorkflowStart {
  return startOf({
    type: 'agentTask',
    summary: `Ask ${input.agent}`,
    rows: [
      ['Agent', input.agent],
      ['Chat model', input.model],
      ['Most model calls', input.budget.steps],
      ['Most tokens', input.budget.tokens],
      ['Most minutes', input.budget.minutes],
    ],
    attributes: {},
    // Whatever it proposes, another person decides.
    risk: 'low',
    by: input,
    // A person waits for the answer.
    priority: PRIORITY.interactive,
  });
}
