import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { ActivityInterfaceFor, ActivityOptions } from '@temporalio/workflow';
import type { CpuActivities, GpuActivities, ReleaseActivities } from '../../contracts/activities.ts';
import type { AgentActivities } from '../../contracts/agent-activities.ts';
import { ERRORS } from '../../contracts/errors.ts';
import { TASK_QUEUES } from '../../contracts/queues.ts';
import type { TaskPriority } from '../../contracts/workflows.ts';

/** Codes that a repetition cannot mend. Workers mark their failures too; this holds for workers in any language. */
const NON_RETRYABLE = Object.entries(ERRORS)
  .filter(([, spec]) => !spec.retryable)
  .map(([code]) => code);

/** Rides out a restart of a server (about four minutes); what still fails then is for a person. */
const PATIENT = {
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 12,
  nonRetryableErrorTypes: NON_RETRYABLE,
} as const;

/** Somebody waits for the answer and can ask again. */
const BRIEF = { ...PATIENT, maximumInterval: '5s', maximumAttempts: 4 } as const;

/** As long as a server that was killed needs to be back on a busy machine: a minute and a half. */
const CATCHING_UP = { ...BRIEF, maximumAttempts: 20 } as const;

/** A child that crashes again and again is a defect, not bad luck. Every attempt resumes at the newest checkpoint. */
const COSTLY = { ...PATIENT, initialInterval: '2s', maximumAttempts: 8 } as const;

/** The worker itself beats while a model thinks, so that a lost one is noticed soon. */
const BEATS = { heartbeatTimeout: '20s' } as const;

/** A parent kills a child that is silent for a minute, so that only a lost worker is silent for longer. */
const HEARTBEATS = { heartbeatTimeout: '75s' } as const;

type DataActivities = Pick<
  CpuActivities,
  | 'verifyDataCard'
  | 'prepareData'
  | 'logRun'
  | 'logImport'
  | 'resolveAttackTarget'
  | 'candidateTarget'
  | 'reportAttack'
  | 'reportExtraction'
  | 'reportSearch'
  | 'pinModel'
>;
type RecordActivities = Pick<
  CpuActivities,
  | 'registerVersion'
  | 'unchangedChampion'
  | 'mirrorVersion'
  | 'withdrawVersion'
  | 'withdrawRegistration'
  | 'finishRun'
  | 'currentAlias'
  | 'previousChampion'
  | 'setAlias'
  | 'attackBaseline'
  | 'recordAttack'
  | 'recordExtraction'
  | 'planSearch'
  | 'audit'
>;

/** Takes the activity's summary for the Temporal UI, and gives the activities of one pool. */
type Proxy<T> = (summary: string) => ActivityInterfaceFor<T>;

export interface Activities {
  /** Reads and writes of a data set's size. */
  readonly data: Proxy<DataActivities>;
  /** Runs the model on a whole test set, in a child process. */
  readonly model: Proxy<
    Pick<
      CpuActivities,
      | 'exportOnnx'
      | 'decideGates'
      | 'summariseAttack'
      | 'summariseExtraction'
      | 'scanImport'
      | 'adaptImport'
      | 'evaluateImport'
      | 'planScore'
      | 'scoreShard'
      | 'joinScores'
    >
  >;
  /** Small, idempotent writes and reads in PostgreSQL and MLflow. */
  readonly records: Proxy<RecordActivities>;
  /** What somebody waits for, and what nobody should wait long for. */
  readonly brief: Proxy<Pick<CpuActivities, 'verifyApproval' | 'audit' | 'finishUnloggedRun'>>;
  /** What another server is told of what is done already. */
  readonly mirror: Proxy<Pick<CpuActivities, 'mirrorAliases'>>;
  /** Looks for results of earlier runs, which may be large to verify; a run can do without them. */
  readonly steps: Proxy<Pick<CpuActivities, 'findStep'>>;
  readonly serving: Proxy<Pick<CpuActivities, 'awaitServing'>>;
  readonly gpu: Proxy<GpuActivities>;
  readonly release: Proxy<Pick<ReleaseActivities, 'signModel' | 'writePlatformBom' | 'publishRelease'>>;
  /** Steps of a release that take a moment: another worker soon takes over what a dead one had begun. */
  readonly releaseStep: Proxy<Omit<ReleaseActivities, 'signModel' | 'writePlatformBom' | 'publishRelease'>>;
  /** Small steps of an agent's task: filters, policy, tools, logins. */
  readonly agent: Proxy<Omit<AgentActivities, 'think'>>;
  /** One call of a language model. */
  readonly llm: Proxy<Pick<AgentActivities, 'think'>>;
}

/**
 * The activities as one run calls them: queue, time-outs, retries and priority by kind. Cancelling waits until the
 * activity has stopped, so that what it did is known before anything is undone.
 */
export function activitiesFor(priority: TaskPriority): Activities {
  const proxy =
    <T extends object>(options: ActivityOptions): Proxy<T> =>
    (summary) =>
      proxyActivities<T>({
        ...options,
        summary,
        priority,
        cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      });
  const { cpu, gpu, release, agents } = TASK_QUEUES;
  return {
    data: proxy({ taskQueue: cpu, startToCloseTimeout: '2m', retry: PATIENT }),
    model: proxy({ ...HEARTBEATS, taskQueue: cpu, startToCloseTimeout: '30m', retry: COSTLY }),
    records: proxy({ taskQueue: cpu, startToCloseTimeout: '30s', retry: PATIENT }),
    brief: proxy({ taskQueue: cpu, startToCloseTimeout: '15s', retry: BRIEF }),
    mirror: proxy({ taskQueue: cpu, startToCloseTimeout: '15s', retry: CATCHING_UP }),
    steps: proxy({ taskQueue: cpu, startToCloseTimeout: '5m', retry: BRIEF }),
    serving: proxy({ taskQueue: cpu, startToCloseTimeout: '3m', heartbeatTimeout: '20s', retry: BRIEF }),
    gpu: proxy({ ...HEARTBEATS, taskQueue: gpu, startToCloseTimeout: '30m', retry: COSTLY }),
    release: proxy({ taskQueue: release, startToCloseTimeout: '2m', retry: PATIENT }),
    releaseStep: proxy({ taskQueue: release, startToCloseTimeout: '20s', retry: PATIENT }),
    agent: proxy({ taskQueue: agents, startToCloseTimeout: '30s', retry: PATIENT }),
    llm: proxy({ ...BEATS, taskQueue: agents, startToCloseTimeout: '5m', retry: COSTLY }),
  };
}
