import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SCORE_STAGES } from '../../contracts/batch-score.ts';
import type { ScoreInput, ScoreResult } from '../../contracts/batch-score.ts';
import type { ScoreShardRequest } from '../../contracts/score-activities.ts';
import { scoreStart } from '../../contracts/workflows.ts';
import { blocking, failureType, progressOf } from './support/driver.ts';
import { startWorkflowTest } from './support/environment.ts';
import type { WorkflowTest } from './support/environment.ts';
import { scoreInput, scoring } from './support/scoring.ts';
import { fail } from './support/training.ts';
import { ref, World } from './support/world.ts';
import type { AllActivities } from './support/world.ts';

let test: WorkflowTest;
let world: World;
beforeAll(async () => {
  test = await startWorkflowTest();
});
afterAll(() => test.close());
beforeEach(() => {
  world = new World();
});

type Score = (input: ScoreInput) => Promise<ScoreResult>;

async function start(changes: Partial<AllActivities> = {}, input = scoreInput()) {
  test.use(world.activities(changes));
  const { workflowType, taskQueue, priority } = scoreStart(input);
  return test.client.workflow.start<Score>(workflowType, {
    ...{ workflowId: randomUUID(), taskQueue, priority, args: [input] },
  });
}

/** Which shards were asked for, in order. */
function watched(): { readonly asked: ScoreShardRequest[]; readonly changes: Partial<AllActivities> } {
  const asked: ScoreShardRequest[] = [];
  const world = scoring();
  return {
    asked,
    changes: {
      scoreShard: (request) => {
        asked.push(request);
        return world.scoreShard(request);
      },
    },
  };
}

describe('a file that is scored', () => {
  it('goes through every shard in order with the version that was pinned, and ends in one file', async () => {
    const { asked, changes } = watched();
    const handle = await start(changes);
    await expect(handle.result()).resolves.toEqual({
      ...{ outcome: 'completed', reasons: [], asked: 'iris@champion', input: ref('records'), shards: 3 },
      scoredBy: { model: 'iris', version: '7', digest: ref('model').sha256 },
      ...{ predictions: ref('predictions'), refused: ref('refused') },
      counts: { records: 300, scored: 297, refused: 3, outOfRange: 0 },
    });
    expect(asked.map(({ shard }) => shard)).toEqual([0, 1, 2]);
    expect(new Set(asked.map(({ pinned }) => pinned.version))).toEqual(new Set(['7']));
    expect(asked[0]).toMatchObject({
      run: { key: handle.workflowId },
      plan: ref('plan'),
      input: { requestedBy: 'ann' },
    });
    const { stages, percent, metrics } = await progressOf(handle);
    expect(stages.map(({ name, status }) => [name, status])).toEqual(SCORE_STAGES.map((name) => [name, 'done']));
    expect(stages[2]?.detail).toBe('297 scored, 3 refused');
    expect({ percent, metrics }).toEqual({ percent: 100, metrics: { scored: 297, refused: 3, outOfRange: 0 } });
    expect(world.audited).toContain('ann workflow:score completed');
  });

  it('waits for the next day where the rows of this one are used up, and goes on with the same shard', async () => {
    const { asked, changes } = watched();
    let waits = 2;
    const handle = await start({
      scoreShard: async (request) => {
        if (request.shard !== 1 || waits === 0) return (changes.scoreShard as AllActivities['scoreShard'])(request);
        waits -= 1;
        return { waitSeconds: 3600 };
      },
    });
    await expect(handle.result()).resolves.toMatchObject({ outcome: 'completed', counts: { scored: 297 } });
    expect(asked.map(({ shard }) => shard)).toEqual([0, 1, 2]);
    const { executionTime, closeTime } = await handle.describe();
    expect((closeTime?.getTime() ?? 0) - (executionTime?.getTime() ?? 0)).toBeGreaterThanOrEqual(2 * 3600_000);
  });

  it('ends rejected where no record could be scored', async () => {
    const none = { records: 3, scored: 0, refused: 3, outOfRange: 0 };
    const handle = await start({
      joinScores: async () => ({ predictions: ref('nothing'), refused: ref('refused'), counts: none }),
    });
    const result = await handle.result();
    expect(result).toMatchObject({ outcome: 'rejected', refused: ref('refused'), counts: none });
    expect(result.reasons).toEqual(['None of 3 records could be scored.']);
  });
});

describe('a file that is not scored', () => {
  it.each([
    ['pinModel', 'SIGNATURE_INVALID'],
    ['planScore', 'SCORE_FILE_INVALID'],
    ['scoreShard', 'MODEL_VERSION_WITHDRAWN'],
    ['scoreShard', 'MISUSE_STOPPED'],
  ] as const)('fails where %s fails with %s', async (activity, code) => {
    const handle = await start({ [activity]: fail(code) });
    await expect(failureType(handle.result())).resolves.toBe(code);
    expect(world.counts()).not.toHaveProperty('joinScores');
    expect(world.counts()[activity]).toBe(1);
    expect(world.audited).toContain('ann workflow:score failed');
  });

  it('stops in a shard when it is cancelled', async () => {
    const { reached, activity } = blocking();
    const handle = await start({ scoreShard: activity });
    await reached;
    await handle.executeUpdate('cancel', { args: [{ reason: 'not needed' }] });
    await expect(handle.result()).resolves.toMatchObject({ outcome: 'cancelled', reasons: ['not needed'] });
    expect(world.counts()).not.toHaveProperty('joinScores');
  });

  it('is refused where the input is none', async () => {
    const handle = await start({}, { ...scoreInput(), model: 'No Name' });
    await expect(failureType(handle.result())).resolves.toBe('REQUEST_INVALID');
  });
});
