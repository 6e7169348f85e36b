import type { LiveProgress, WorkflowDetail, WorkflowEvent } from '../../../contracts/api.ts';
import type { StageProgress } from '../../../contracts/progress.ts';
import type { TrainResult } from '../../../contracts/train-register-deploy.ts';

export const STARTED_AT = '2026-01-31T03:00:00.000Z';
/** Milliseconds since the epoch, some seconds after {@link STARTED_AT}. */
export const at = (seconds: number): number => Date.parse(STARTED_AT) + seconds * 1000;
export const iso = (seconds: number): string => new Date(at(seconds)).toISOString();

export function progress(stages: StageProgress[], rest: Partial<LiveProgress> = {}): LiveProgress {
  const current = stages.find(({ status }) => status === 'running') ?? stages[0];
  return {
    stage: current?.name ?? '',
    stages,
    outcome: 'running',
    percent: 0,
    metrics: {},
    activities: [],
    ...rest,
  };
}

export const TRAINING: StageProgress[] = [
  { name: 'verifyDataCard', status: 'done', startedAt: iso(0), endedAt: iso(0.4) },
  { name: 'prepareData', status: 'reused', startedAt: iso(0.4), endedAt: iso(1.4) },
  { name: 'train', status: 'running', startedAt: iso(1.4) },
  { name: 'approval', status: 'skipped' },
  { name: 'rollout', status: 'pending' },
];

export function trainingProgress(step: number, steps = 1000): LiveProgress {
  return progress(TRAINING, {
    percent: (step / steps) * 60,
    eta: 90,
    training: {
      kind: 'training',
      epoch: 2,
      epochs: 3,
      step,
      steps,
      loss: 0.07123,
      throughput: 3412.4,
      eta: 34,
      checkpointStep: 600,
      device: 'cpu',
    },
  });
}

export function running(current: LiveProgress | undefined = progress(TRAINING)): WorkflowDetail {
  return {
    workflowId: 'train-1',
    runId: 'run-1',
    type: 'trainRegisterDeploy',
    status: 'running',
    startedAt: STARTED_AT,
    links: { self: '/v1/workflows/train-1', events: '/v1/workflows/train-1/events', temporal: 'http://ui/train-1' },
    progress: current,
  };
}

export function event(current: LiveProgress): WorkflowEvent {
  return { workflowId: 'train-1', runId: 'run-1', status: 'running', progress: current };
}

const interval = (value: number) => ({ value, low: value - 0.002, high: value + 0.002 });

export const COMPLETED: TrainResult = {
  outcome: 'completed',
  reasons: [],
  weightsSha256: 'a'.repeat(64),
  evaluation: {
    samples: 10_000,
    accuracy: interval(0.9912),
    macroF1: interval(0.9911),
    logLoss: interval(0.0301),
    ece: interval(0.0042),
  },
  gates: [{ name: 'minAccuracy', passed: true, reason: '0.9912 >= 0.99' }],
  mlflow: { experimentId: '1', runId: 'abc' },
  registered: {
    model: 'mnist-cnn',
    version: '3',
    digest: 'b'.repeat(64),
    signature: {
      uri: `cas://sha256/${'c'.repeat(64)}`,
      sha256: 'c'.repeat(64),
      bytes: 10,
      mediaType: 'application/json',
    },
  },
  alias: 'champion',
};

export function closed(result: TrainResult | undefined, rest: Partial<WorkflowDetail> = {}): WorkflowDetail {
  return { ...running(), status: 'completed', closedAt: iso(134), result, ...rest };
}
