import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import { changeLines } from '../../cli/follow/changes.ts';
import { advance, initialState } from '../../cli/follow/state.ts';
import type { FollowState } from '../../cli/follow/state.ts';
import { at, iso, progress, running, TRAINING, trainingProgress } from './support/workflow.ts';

const options = { now: at(40), colors: picocolors.createColors(false) };
const lines = (before: FollowState | undefined, after: FollowState): string[] => changeLines(before, after, options);
const training = (step: number): FollowState => initialState(running(trainingProgress(step)));

describe('changeLines', () => {
  it('starts with every stage that is not pending', () => {
    expect(lines(undefined, initialState(running()))).toEqual([
      '✓ verifyDataCard done 0.4s',
      '↺ prepareData reused 1.0s',
      '● train running',
      '– approval skipped',
    ]);
  });

  it('is silent where nothing changed', () => {
    expect(lines(training(640), training(641))).toEqual([]);
  });

  it('writes a line of training for every new ten percent', () => {
    expect(lines(training(699), training(700))).toEqual([
      '  train epoch 2/3 · step 700/1000 · loss 0.0712 · 3,412 samples/s · ETA 34s',
    ]);
  });

  it('says nothing of a training that is over', () => {
    const { training: last } = trainingProgress(1000);
    const over = TRAINING.map((stage) => (stage.name === 'train' ? { ...stage, status: 'done' as const } : stage));
    expect(lines(training(999), initialState(running(progress(over, { training: last }))))).toEqual(['✓ train done']);
  });

  it('writes a stage again when its status changes', () => {
    const after = TRAINING.map((stage) =>
      stage.name === 'train' ? { ...stage, status: 'failed' as const, endedAt: iso(20), detail: 'diverged' } : stage,
    );
    expect(lines(training(10), initialState(running(progress(after))))).toEqual(['✗ train failed 19s  diverged']);
  });

  it('reports a lost and a restored connection once each', () => {
    const lost = { kind: 'lost', attempt: 1, delayMs: 500, reason: 'the connection was closed' } as const;
    const before = training(10);
    const without = advance(before, lost);
    expect(lines(before, without)).toEqual(['connection lost (the connection was closed); attempt 1 in 0.5s']);
    expect(lines(without, without)).toEqual([]);
    expect(lines(without, advance(without, { kind: 'restored' }))).toEqual(['connection restored']);
  });

  it('reports a new attempt and an awaited approval once', () => {
    const activities = [{ name: 'trainModel', attempt: 2, lastFailure: 'out of memory' }];
    const approval = { stage: 'approval', subjectDigest: 'd'.repeat(64), requestedBy: 'ann', deadline: iso(60) };
    const after = initialState(running(progress(TRAINING, { activities, approval })));
    expect(lines(initialState(running()), after)).toEqual([
      '! trainModel: attempt 2 after: out of memory',
      `waits for approval until ${iso(60)}: saip workflows approve train-1 --digest ${'d'.repeat(64)}`,
    ]);
    expect(lines(after, after)).toEqual([]);
  });
});
