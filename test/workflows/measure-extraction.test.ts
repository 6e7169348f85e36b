import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EXTRACTION_STAGES, ExtractionInput } from '../../contracts/extraction.ts';
import { SaipError } from '../../contracts/errors.ts';
import { blocking, failureType, progressOf, startExtraction } from './support/driver.ts';
import { startWorkflowTest } from './support/environment.ts';
import type { WorkflowTest } from './support/environment.ts';
import { World } from './support/world.ts';

let test: WorkflowTest;
let world: World;
beforeAll(async () => {
  test = await startWorkflowTest();
});
afterAll(() => test.close());
beforeEach(() => {
  world = new World();
  world.versions.set('1', {});
  world.aliases.set('champion', '1');
});

const input = (changes: object = {}): ExtractionInput =>
  ExtractionInput.parse({
    model: 'tiny',
    extraction: { queries: [100, 1000], answers: ['probabilities', 'labels'], seed: 7 },
    requestedBy: 'redteam-1',
    ...changes,
  });

describe('the measurement of an extraction', () => {
  it('copies the champion for each kind of answer, and keeps curve and budgets', async () => {
    test.use(world.activities());
    const handle = await startExtraction(test.client, input());
    const result = await handle.result();
    expect(result).toMatchObject({
      outcome: 'completed',
      reasons: [],
      version: '1',
      budgets: [
        { answers: 'probabilities', budgetRows: 1000, threshold: 0.9 },
        { answers: 'labels', budgetRows: 1000 },
      ],
      mlflow: { runId: 'extraction-run' },
    });
    expect(result.curve?.points).toHaveLength(4);
    expect(world.curves).toMatchObject([
      { run: { key: handle.workflowId }, target: { version: '1' }, mlflowRunId: 'extraction-run' },
    ]);
    expect(world.counts()['extractShard']).toBe(2);
    expect(world.audited).toEqual(['redteam-1 workflow:extraction completed']);
    const { stages, percent } = await progressOf(handle);
    expect(percent).toBe(100);
    expect(stages.map(({ name, status }) => [name, status])).toEqual(EXTRACTION_STAGES.map((name) => [name, 'done']));
  });

  it('keeps nothing where it is cancelled', async () => {
    const { reached, activity } = blocking();
    test.use(world.activities({ extractShard: activity }));
    const handle = await startExtraction(
      test.client,
      input({ extraction: { ...input().extraction, answers: ['labels'] } }),
    );
    await reached;
    await handle.executeUpdate('cancel', { args: [{ reason: 'enough' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', reasons: ['enough'], version: '1' });
    expect(world.curves).toEqual([]);
  });

  it('fails with the code of what is wrong with the model', async () => {
    const resolveAttackTarget = async () => {
      throw new SaipError('ATTACK_UNSUPPORTED', 'A table has no range.');
    };
    test.use(world.activities({ resolveAttackTarget }));
    const handle = await startExtraction(test.client, input());
    expect(await failureType(handle.result())).toBe('ATTACK_UNSUPPORTED');
    expect(world.counts()).not.toHaveProperty('extractShard');
  });

  it('refuses an input that no starter would send', async () => {
    test.use(world.activities());
    const wrong = { ...input(), extraction: { ...input().extraction, queries: [1000, 100] } };
    expect(await failureType((await startExtraction(test.client, wrong)).result())).toBe('REQUEST_INVALID');
  });
});
