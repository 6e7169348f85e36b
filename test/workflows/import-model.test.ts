import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { IMPORT_STAGES, ImportInput } from '../../contracts/import-model.ts';
import type { ImportResult } from '../../contracts/import-model.ts';
import { importStart } from '../../contracts/workflows.ts';
import { unsignedApproval } from './support/approvals.ts';
import { fail } from './support/training.ts';
import { attackInput, ref, World } from './support/world.ts';
import type { AllActivities } from './support/world.ts';
import { failureType, progressOf, startAttack, untilProgress } from './support/driver.ts';
import { startWorkflowTest } from './support/environment.ts';
import type { WorkflowTest } from './support/environment.ts';

let test: WorkflowTest;
let world: World;
beforeAll(async () => {
  test = await startWorkflowTest();
});
afterAll(() => test.close());
beforeEach(() => {
  world = new World();
});

type Import = (input: ImportInput) => Promise<ImportResult>;

export function importInput(changes: Partial<ImportInput> = {}): ImportInput {
  return ImportInput.parse({
    file: ref('forest'),
    card: {
      ...{ name: 'forest', dataset: 'mnist', source: 'a test', licence: 'MIT', intendedUse: 'tests' },
      ...{ framework: { name: 'scikit-learn' }, trainingData: 'digits' },
      input: {},
      output: { name: 'probabilities', kind: 'probabilities' },
    },
    ...{ registerAs: 'forest', seed: 42, approval: {}, rollout: true, requestedBy: 'trainer-1' },
    gates: { minAccuracy: 0.9 },
    ...changes,
  });
}

async function start(input = importInput(), changes: Partial<AllActivities> = {}) {
  test.use(world.activities(changes));
  const { workflowType, taskQueue, priority } = importStart(input);
  return test.client.workflow.start<Import>(workflowType, {
    ...{ workflowId: randomUUID(), taskQueue, priority, args: [input] },
  });
}

describe('an import that succeeds', () => {
  it('asks for the data set of its tenant', async () => {
    await (await start(importInput({ tenant: 'acme' }))).result();
    for (const name of ['verifyDataCard', 'prepareData']) expect(world.ran[name]).toMatchObject({ tenant: 'acme' });
  });

  it('goes through every stage to the champion alias, and says where the model is from', async () => {
    const signed: Parameters<AllActivities['signModel']>[0][] = [];
    const handle = await start(importInput(), {
      signModel: async (input) => {
        signed.push(input);
        return { digest: ref('model').sha256, files: {}, signature: ref('signature') };
      },
    });
    const result = await handle.result();
    expect(result).toMatchObject({
      ...{ outcome: 'completed', reasons: [], alias: 'champion' },
      scan: { nodes: 1 },
      registered: { model: 'forest', version: '1' },
      mlflow: { runId: 'import-run' },
    });
    const progress = await progressOf(handle);
    expect(progress.stages.map(({ name }) => name)).toEqual(IMPORT_STAGES);
    expect(progress.stages.filter(({ status }) => status !== 'done')).toEqual([
      expect.objectContaining({ name: 'approval', status: 'skipped' }),
    ]);
    expect(signed[0]?.model).toMatchObject({
      card: { name: 'forest' },
      original: ref('forest'),
      importedBy: 'trainer-1',
    });
    expect(world.counts()).toMatchObject({ scanImport: 1, adaptImport: 1, logImport: 1 });
    expect(world.counts()).not.toHaveProperty('trainModel');
    expect(world.audited).toContain('trainer-1 workflow:import completed');
  });

  it('asks another person where that is wished', async () => {
    const handle = await start(importInput({ approval: { required: true, timeoutSeconds: 3600 } }));
    await untilProgress(handle, ({ approval }) => approval !== undefined);
    const jws = unsignedApproval({ workflowId: handle.workflowId, jti: 'jti-1' });
    await handle.executeUpdate('approve', { args: [{ jws }], updateId: 'jti-1' });
    await expect(handle.result()).resolves.toMatchObject({ outcome: 'completed' });
  });
});

describe('an import that is refused', () => {
  it('fails with the code of what is wrong with the file, before anything else is done', async () => {
    const handle = await start(importInput(), { scanImport: fail('MODEL_GRAPH_REFUSED') });
    await expect(failureType(handle.result())).resolves.toBe('MODEL_GRAPH_REFUSED');
    expect(world.counts()).toMatchObject({ scanImport: 1 });
    expect(world.counts()).not.toHaveProperty('adaptImport');
    expect(world.audited).toContain('trainer-1 workflow:import failed');
  });

  it('ends rejected where a gate says no', async () => {
    world.accuracy = 0.5;
    const handle = await start();
    await expect(handle.result()).resolves.toMatchObject({ outcome: 'rejected' });
    expect(world.versions.size).toBe(0);
  });

  it('withdraws the version when what comes after it fails', async () => {
    const handle = await start(importInput(), { mirrorVersion: fail('MLFLOW_REJECTED') });
    await expect(failureType(handle.result())).resolves.toBe('MLFLOW_REJECTED');
    expect(world.versions.get('1')?.withdrawn).toContain('MLFLOW_REJECTED');
  });
});

describe('an attack on a model from elsewhere', () => {
  const elsewhere: Partial<AllActivities> = {
    resolveAttackTarget: async ({ model, version = '1' }) => ({
      ...{ model, version, digest: ref('digest').sha256, onnx: ref('onnx'), manifest: ref('manifest') },
      ...{ dataset: 'mnist', samples: 10_000 },
    }),
  };

  it('asks its graph where nobody chose, and does not harden it', async () => {
    test.use(world.activities(elsewhere));
    const handle = await startAttack(test.client, attackInput({ defaultAttacks: true }));
    const result = await handle.result();
    expect(result).toMatchObject({ outcome: 'rejected' });
    expect(result.reasons.join()).toContain('ATTACK_UNSUPPORTED');
    expect(world.reported[0]?.measurement.attacks).toEqual([{ kind: 'square', queries: 1000 }]);
    expect(world.counts()).not.toHaveProperty('trainModel');
  });

  it('refuses attacks that need gradients', async () => {
    test.use(world.activities(elsewhere));
    const handle = await startAttack(test.client, attackInput());
    await expect(failureType(handle.result())).resolves.toBe('ATTACK_UNSUPPORTED');
  });
});
