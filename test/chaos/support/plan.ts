import { TRAIN_STAGES } from '../../../contracts/train-register-deploy.ts';
import type { TrainStage } from '../../../contracts/train-register-deploy.ts';
import { RandomStream } from '../../../lib/ml/random.ts';

/** `start` is the request that starts the run; the rest are the stages it goes through. */
export type Moment = 'start' | TrainStage;

const EVER: readonly Moment[] = TRAIN_STAGES.filter((stage) => stage !== 'approval');

/** What can be killed, each with the moments at which it has something to lose. */
const MOMENTS = {
  child: ['train', 'train', 'evaluate', 'exportOnnx'],
  'worker-gpu': ['train', 'train', 'evaluate'],
  'worker-cpu': ['verifyDataCard', 'prepareData', 'exportOnnx', 'logRun', 'gates', 'registerVersion', 'rollout'],
  'worker-orchestration': EVER,
  'worker-release': ['gates', 'signModel'],
  api: ['start', 'train', 'registerVersion', 'rollout', 'rollout'],
  mlflow: ['exportOnnx', 'logRun', 'logRun', 'registerVersion', 'rollout'],
  postgres: EVER,
  openbao: EVER,
  temporal: EVER,
} as const satisfies Readonly<Record<string, readonly Moment[]>>;

export type Victim = keyof typeof MOMENTS;
export const VICTIMS = Object.keys(MOMENTS) as readonly Victim[];

/** Enough for three rounds to kill everything once. */
const STRIKES = 4;

/** One kill -9: of whom, and when. */
export interface Strike {
  readonly victim: Victim;
  readonly moment: Moment;
  /** How far into that moment, as a share of what it usually takes: the plan does not depend on the machine's speed. */
  readonly share: number;
}

/** The kills of one round; the same for the same seed and round. In the order of the run. */
export function planRound(seed: number, round: number): Strike[] {
  const stream = new RandomStream('chaos', seed, round);
  const strikes = victimsOf(seed, round).map((victim): Strike => {
    const moments: readonly Moment[] = MOMENTS[victim];
    const moment = moments[stream.below(moments.length)] ?? 'train';
    return { victim, moment, share: stream.below(100) / 100 };
  });
  return strikes.sort((a, b) => order(a) - order(b));
}

/** Dealt from a shuffled deck of all victims, and from another one when that is used up. */
function victimsOf(seed: number, round: number): Victim[] {
  const first = round * STRIKES;
  return Array.from({ length: STRIKES }, (_, index) => {
    const drawn = first + index;
    return shuffled(seed, Math.floor(drawn / VICTIMS.length))[drawn % VICTIMS.length] ?? 'child';
  });
}

function shuffled(seed: number, deck: number): Victim[] {
  const stream = new RandomStream('chaos-deck', seed, deck);
  return VICTIMS.map((victim) => ({ victim, at: stream.uint32() }))
    .sort((a, b) => a.at - b.at)
    .map(({ victim }) => victim);
}

function order({ moment, share }: Strike): number {
  return (moment === 'start' ? -1 : TRAIN_STAGES.indexOf(moment)) + share;
}

export function describeStrike({ victim, moment, share }: Strike): string {
  return `${victim} at ${Math.round(100 * share)} % of ${moment}`;
}
