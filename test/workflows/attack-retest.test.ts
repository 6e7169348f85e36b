import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SaipError } from '../../contracts/errors.ts';
import { ATTACK_STAGES } from '../../contracts/attack-retest.ts';
import { RobustnessGate } from '../../contracts/adversary.ts';
import { blocking, failureType, progressOf, startAttack, startTraining } from './support/driver.ts';
import { startWorkflowTest } from './support/environment.ts';
import type { WorkflowTest } from './support/environment.ts';
import { attackInput, ref, trainInput, World } from './support/world.ts';
import type { AllActivities } from './support/world.ts';

let test: WorkflowTest;
let world: World;
beforeAll(async () => {
  test = await startWorkflowTest();
});
afterAll(() => test.close());
beforeEach(() => {
  world = new World();
  // The attacked version; what hardening registers comes after it.
  world.versions.set('1', {});
  world.aliases.set('champion', '1');
});

async function attack(input = attackInput(), changes: Partial<AllActivities> = {}) {
  test.use(world.activities(changes));
  const handle = await startAttack(test.client, input);
  const result = await handle.result();
  return { handle, result, progress: await progressOf(handle) };
}

const hardening = (worst: Record<string, number>) => (version: string) => ({
  clean: version === '1' ? 0.99 : 0.97,
  worst: worst[version] ?? 0,
});
const measureOnly = attackInput({ harden: undefined });
const statuses = ({ stages }: Awaited<ReturnType<typeof progressOf>>) =>
  Object.fromEntries(stages.map(({ name, status }) => [name, status]));

describe('an attack on a version that breaks', () => {
  it('hardens it once, attacks the new version too, and reports both', async () => {
    world.robustness = hardening({ '1': 0.05, '2': 0.9 });
    const { handle, result, progress } = await attack();
    expect(result).toMatchObject({
      outcome: 'completed',
      reasons: [],
      model: 'tiny',
      attacked: { version: '1', measured: { clean: { value: 0.99 } } },
      robustVersion: '2',
      hardened: [
        {
          version: '2',
          trainingWorkflowId: `${handle.workflowId}-harden-1`,
          stronger: { attack: 'pgd-100', epsilon: 0.2, accuracy: { value: 0.9 } },
        },
      ],
      mlflow: { runId: 'attack-run' },
    });
    expect(result.hardened?.[0]?.cleanChange).toBeCloseTo(-0.02);
    expect(result.hardened?.[0]?.worstChange).toBeCloseTo(0.85);
    expect(progress).toMatchObject({ outcome: 'completed', percent: 100 });
    expect(progress.stages.map(({ name, status }) => [name, status])).toEqual(
      ATTACK_STAGES.map((name) => [name, 'done']),
    );
    expect(world.reported).toMatchObject([{ versions: [{ target: { version: '1' } }, { target: { version: '2' } }] }]);
  });

  it('leaves what is served as it is', async () => {
    world.robustness = hardening({ '2': 0.9 });
    await attack();
    expect(world.aliases).toEqual(new Map([['champion', '1']]));
    expect(world.counts()).not.toHaveProperty('setAlias');
  });

  it('keeps every result, and attacks in shards of two batches of 250', async () => {
    world.robustness = hardening({ '2': 0.9 });
    const batches: number[][] = [];
    const { result } = await attack(attackInput(), {
      attackShard: async (shard) => {
        batches.push([...shard.batches]);
        return { batches: shard.batches.map((batch) => ref(`batch ${batch}`)) };
      },
    });
    expect(result.outcome).toBe('completed');
    expect(world.attackRecords.map(({ version }) => version)).toEqual(['1', '2']);
    // Of the version, of the hardened one, and of the hardened one with more steps.
    expect(batches.sort()).toEqual([0, 0, 0, 2, 2, 2].map((first) => [first, first + 1]));
  });

  it('trains the same network under attack, without the champion gate and without a rollout', async () => {
    world.robustness = hardening({ '2': 0.9 });
    const steps: (number | undefined)[] = [];
    await attack(attackInput(), {
      trainModel: async (argument) => {
        steps.push(argument.training.adversarial?.steps);
        expect(argument.model).toEqual(trainInput().model);
        return new World().activities().trainModel(argument);
      },
    });
    expect(steps).toEqual([1]);
  });

  it('hardens again with twice the steps until the budget is used up, and is then rejected', async () => {
    world.robustness = hardening({ '2': 0.5, '3': 0.6 });
    const steps: (number | undefined)[] = [];
    const { result } = await attack(attackInput(), {
      trainModel: async (argument) => {
        steps.push(argument.training.adversarial?.steps);
        return new World().activities().trainModel(argument);
      },
    });
    expect(steps).toEqual([1, 2]);
    expect(result).toMatchObject({ outcome: 'rejected', reasons: ['the budget of 2 rounds is used up'] });
    expect(result.hardened?.map(({ version }) => version)).toEqual(['2', '3']);
    expect(result.robustVersion).toBeUndefined();
    expect(world.reported).toHaveLength(1);
  });

  it('does not take a version for robust that only the weaker attack spares', async () => {
    world.robustness = () => ({ clean: 0.98, worst: 0.1 });
    const plain = world.activities();
    const { result } = await attack(attackInput({ budget: { rounds: 1, minutes: 30 } }), {
      summariseAttack: async (argument) => {
        const { configSha256, measured } = await plain.summariseAttack(argument);
        const [strongest] = argument.measurement.attacks;
        const weak = argument.target.version === '2' && strongest?.kind === 'fgsm';
        const accuracy = { value: 0.9, low: 0.89, high: 0.91 };
        const worst = weak ? measured.worst.map((entry) => ({ ...entry, accuracy })) : measured.worst;
        return { configSha256, measured: { ...measured, worst } };
      },
    });
    expect(result).toMatchObject({ outcome: 'rejected', hardened: [{ stronger: { accuracy: { value: 0.1 } } }] });
  });

  it('goes on to the next round when the gates of a hardening refuse', async () => {
    world.robustness = hardening({ '2': 0.9 });
    let evaluations = 0;
    const plain = world.activities();
    const { result } = await attack(attackInput(), {
      decideGates: async (argument) => {
        evaluations += 1;
        world.accuracy = evaluations === 1 ? 0.5 : 0.95;
        return plain.decideGates(argument);
      },
    });
    expect(result).toMatchObject({ outcome: 'completed', robustVersion: '2' });
    expect(evaluations).toBe(2);
  });

  it('stops a round when the minutes are over', async () => {
    // Two minutes of pauses between the attempts.
    const trainModel = () => Promise.reject(new SaipError('CHILD_CRASHED', 'signal 9'));
    const { result, progress } = await attack(attackInput({ budget: { rounds: 3, minutes: 1 } }), { trainModel });
    expect(result).toMatchObject({ outcome: 'rejected', reasons: ['the budget of 1 minute ran out in round 1'] });
    expect(statuses(progress)).toMatchObject({ harden: 'skipped', retest: 'skipped', report: 'done' });
  });
});

describe('an attack that hardens nothing', () => {
  it('on a version that holds out', async () => {
    world.robustness = () => ({ clean: 0.98, worst: 0.85 });
    const { result, progress } = await attack();
    expect(result).toMatchObject({ outcome: 'completed', robustVersion: '1' });
    expect(result.hardened).toBeUndefined();
    expect(statuses(progress)).toMatchObject({ decide: 'done', harden: 'skipped', retest: 'skipped', report: 'done' });
    expect(world.counts()).not.toHaveProperty('trainModel');
  });

  it('when it was only asked to measure, is rejected where the goal is missed', async () => {
    const { result } = await attack(measureOnly);
    expect(result).toMatchObject({
      outcome: 'rejected',
      reasons: ['version 1 keeps 10.0 % at ε = 0.2, 80.0 % asked for'],
      report: { json: ref('report.json') },
    });
  });

  it('attacks the version that was named, on no more samples than there are', async () => {
    const measurement = { ...measureOnly.measurement, samples: 50_000 };
    const { result } = await attack({ ...measureOnly, version: '7', measurement });
    expect(result.attacked).toMatchObject({ version: '7', measured: { samples: 10_000 } });
    expect(world.counts()['attackShard']).toBe(20);
  });
});

describe('the baseline', () => {
  it('is the stored result of the same model', async () => {
    world.robustness = () => ({ clean: 0.99, worst: 0.3 });
    const first = await attack(measureOnly);
    expect(first.result.baseline).toBeUndefined();
    world.robustness = () => ({ clean: 0.98, worst: 0.1 });
    const { result } = await attack(measureOnly);
    expect(result.baseline).toMatchObject({ kind: 'same-model', version: '1', workflowId: first.handle.workflowId });
    expect(result.baseline?.worstChanges[1]?.change).toBeCloseTo(-0.2);
  });

  it('or else that of another version', async () => {
    await attack(measureOnly);
    const { result } = await attack({ ...measureOnly, version: '2' });
    expect(result.baseline).toMatchObject({ kind: 'other-version', version: '1' });
  });
});

describe('a cancellation', () => {
  it('in a shard stops it and ends as cancelled', async () => {
    const { reached, activity } = blocking();
    test.use(world.activities({ attackShard: activity }));
    const handle = await startAttack(test.client, attackInput());
    await reached;
    await handle.executeUpdate('cancel', { args: [{ reason: 'wrong model' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', reasons: ['wrong model'] });
    expect(world.audited).toContain('redteam-1 workflow:attack cancelled');
    expect(world.reported).toEqual([]);
  });

  it('in a hardening cancels the training', async () => {
    const { reached, activity } = blocking();
    test.use(world.activities({ trainModel: activity }));
    const handle = await startAttack(test.client, attackInput());
    await reached;
    await handle.executeUpdate('cancel', { args: [{ reason: 'enough' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', reasons: ['enough'] });
    const child = test.client.workflow.getHandle(`${handle.workflowId}-harden-1`);
    expect((await child.describe()).status.name).toBe('CANCELLED');
  });
});

describe('a failure', () => {
  it('has the code of its cause', async () => {
    const refuse = () => Promise.reject(new SaipError('SIGNATURE_INVALID', 'changed'));
    test.use(world.activities({ resolveAttackTarget: refuse }));
    const handle = await startAttack(test.client, attackInput());
    expect(await failureType(handle.result())).toBe('SIGNATURE_INVALID');
    expect(await progressOf(handle)).toMatchObject({ outcome: 'failed', stage: 'resolveTarget' });
  });

  it('of an input names its field', async () => {
    test.use(world.activities());
    const handle = await startAttack(test.client, { ...attackInput(), model: 'No Name' });
    expect(await failureType(handle.result())).toBe('REQUEST_INVALID');
  });
});

describe('the gate of a training', () => {
  const gates = (minAccuracy: number) => ({
    champion: 'off' as const,
    robustness: RobustnessGate.parse({ epsilon: 0.2, minAccuracy }),
  });
  const train = async (minAccuracy: number) => {
    test.use(world.activities());
    const handle = await startTraining(test.client, trainInput({ gates: gates(minAccuracy), rollout: false }));
    return handle.result();
  };

  it('attacks the candidate before it is signed, and lets a robust one pass', async () => {
    world.robustness = (version) => ({ clean: 0.98, worst: version === 'candidate' ? 0.9 : 0 });
    const { outcome, gates: results } = await train(0.85);
    expect(outcome).toBe('completed');
    expect(results).toContainEqual({
      name: 'robustness',
      passed: true,
      reason: expect.stringMatching(/accuracy 0\.9000 .*1000 test samples under pgd-20 at ε = 0\.2, at least 0\.85/),
    });
    const order = world.calls.filter((name) => ['attackShard', 'decideGates', 'signModel'].includes(name));
    expect(order.at(-2)).toBe('decideGates');
    expect(order.at(-1)).toBe('signModel');
    expect(world.attackRecords).toEqual([]);
  });

  it('refuses one that breaks: nothing is signed', async () => {
    const { outcome, reasons } = await train(0.85);
    expect(outcome).toBe('rejected');
    expect(reasons).toEqual([expect.stringMatching(/^robustness: accuracy 0\.1000/)]);
    expect(world.counts()).not.toHaveProperty('signModel');
  });

  it('is not there where nobody asked for it', async () => {
    test.use(world.activities());
    await (await startTraining(test.client, trainInput())).result();
    expect(world.counts()).not.toHaveProperty('candidateTarget');
    expect(world.counts()).not.toHaveProperty('attackShard');
  });
});
