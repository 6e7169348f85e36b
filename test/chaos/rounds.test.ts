import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TrainResult } from '../../contracts/train-register-deploy.ts';
import { ChaosStack } from './support/chaos-stack.ts';
import type { Training } from './support/chaos-stack.ts';
import { expectOneWholeRun } from './support/invariants.ts';
import type { Undisturbed } from './support/invariants.ts';
import { describeStrike, planRound } from './support/plan.ts';
import { strike } from './support/strike.ts';
import type { Durations } from './support/strike.ts';
import { lossPoints } from './support/tracked.ts';

const MINUTES = 60_000;
/** `SAIP_CHAOS_SEED` repeats the rounds of a run, `SAIP_CHAOS_ROUND` one of them. */
const SEED = Number(process.env['SAIP_CHAOS_SEED'] ?? 20_240_607);
const ROUNDS = Number(process.env['SAIP_CHAOS_ROUNDS'] ?? 3);
const ONLY = process.env['SAIP_CHAOS_ROUND'];
/** Sets the names of this run apart, where the stack is one that was given. */
const RUN = Date.now().toString(36);
const rounds = ONLY === undefined ? Array.from({ length: ROUNDS }, (_, round) => round) : [Number(ONLY)];

/**
 * One training in different clothes: how often it writes a checkpoint changes neither its weights nor its history, but
 * makes it another training to everything that might remember one.
 */
function training(registerAs: string, checkpointSteps: number): Training {
  return { model: 'mnist-softmax', registerAs, training: { epochs: 2, checkpointSteps }, gates: { minAccuracy: 0.8 } };
}

let stack: ChaosStack;
let undisturbed: Undisturbed;
let usual: Durations;

beforeAll(async () => {
  stack = await ChaosStack.start();
  const id = await stack.train(training('undisturbed', 20), `undisturbed-${RUN}`);
  const { progress, result } = await stack.ended(id);
  const { weightsSha256, mlflow, outcome } = TrainResult.parse(result);
  expect(outcome).toBe('completed');
  undisturbed = { weightsSha256: weightsSha256 ?? '', points: await lossPoints(stack, mlflow?.runId ?? '') };
  const stages = progress?.stages ?? [];
  usual = {
    start: 50,
    ...Object.fromEntries(
      stages.map(({ name, startedAt = '', endedAt = '' }) => [name, Date.parse(endedAt) - Date.parse(startedAt) || 0]),
    ),
  };
}, 10 * MINUTES);

afterAll(() => stack.stop(), 3 * MINUTES);

describe(`a training under kill -9, SAIP_CHAOS_SEED=${SEED}`, () => {
  it.each(rounds)(
    'ends as if nothing had happened, round %i',
    async (round) => {
      const plan = planRound(SEED, round);
      const repeat = `SAIP_CHAOS_SEED=${SEED} SAIP_CHAOS_ROUND=${round}`;
      process.stdout.write(`${repeat}: ${plan.map(describeStrike).join(', ')}\n`);
      const registerAs = `chaos-${RUN}-${round}`;
      const begun = Date.now();
      const started = stack.train(training(registerAs, 21 + round), registerAs);
      const struck = await Promise.all(plan.map((one) => strike(stack, started, one, usual)));
      const detail = await stack.ended(await started);
      const seconds = Math.round((Date.now() - begun) / 1000);
      process.stdout.write(`${repeat}: ${detail.status} after ${seconds} s; ${struck.join(', ')}\n`);
      expect(detail.failure).toBeUndefined();
      await expectOneWholeRun(stack, detail, registerAs, undisturbed);
    },
    20 * MINUTES,
  );
});
