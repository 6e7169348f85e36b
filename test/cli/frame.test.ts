import { describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import { renderFrame } from '../../cli/follow/frame.ts';
import { advance, initialState } from '../../cli/follow/state.ts';
import {
  at,
  closed,
  COMPLETED,
  event,
  iso,
  progress,
  running,
  TRAINING,
  trainingProgress,
} from './support/workflow.ts';

const plain = { now: at(40), columns: 80, colors: picocolors.createColors(false) };
const bar = (done: number): string => '█'.repeat(done) + '░'.repeat(40 - done);

describe('renderFrame', () => {
  it('draws stages, the training and the whole', () => {
    const state = initialState(running(trainingProgress(640)));
    expect(renderFrame(state, plain)).toEqual([
      'trainRegisterDeploy  train-1  40s',
      '  ✓ verifyDataCard    0.4s',
      '  ↺ prepareData       1.0s  reused',
      '  ● train              39s',
      `    ${bar(26)}  64 %`,
      '    epoch 2/3 · step 640/1000 · loss 0.0712 · 3,412 samples/s · ETA 34s',
      '  – approval                skipped',
      '  ○ rollout',
      `  ${bar(15)}  38 %  ETA 1m 30s`,
    ]);
  });

  it('tells how to approve what waits for a person', () => {
    const approval = { stage: 'approval', subjectDigest: 'd'.repeat(64), requestedBy: 'ann', deadline: iso(3600) };
    const stages = [{ name: 'approval', status: 'waiting' as const, startedAt: iso(10) }];
    const state = initialState(running(progress(stages, { approval, percent: 70 })));
    expect(renderFrame(state, plain).slice(1)).toEqual([
      '  ◆ approval     30s',
      `  ${bar(28)}  70 %`,
      '  waits for approval until 2026-01-31T04:00:00.000Z (requested by ann)',
      `  saip workflows approve train-1 --digest ${'d'.repeat(64)}`,
    ]);
  });

  it('shows a retry with the failure before it', () => {
    const activities = [{ name: 'trainModel', attempt: 2, lastFailure: 'the child process died' }];
    const lines = renderFrame(initialState(running(progress(TRAINING, { activities }))), plain);
    expect(lines.at(-1)).toBe('  trainModel: attempt 2 after: the child process died');
  });

  it('says that the connection is lost and that the workflow is not', () => {
    const lost = { kind: 'lost', attempt: 3, delayMs: 2000, reason: 'the server does not answer' } as const;
    const state = advance(initialState(running()), lost);
    expect(renderFrame(state, plain).at(-1)).toBe(
      '  connection lost (the server does not answer); attempt 3 in 2.0s. The workflow goes on.',
    );
    expect(renderFrame(advance(state, { kind: 'restored' }), plain).join('\n')).not.toContain('lost');
  });

  it('keeps the last progress while no worker answers', () => {
    const before = advance(initialState(running()), { kind: 'progress', event: event(trainingProgress(10)) });
    const silent = { ...event(trainingProgress(10)), progress: undefined, progressUnavailable: 'no worker polls' };
    expect(advance(before, { kind: 'progress', event: silent }).progress).toBe(before.progress);
    const unknown = initialState({
      ...running(undefined),
      progress: undefined,
      progressUnavailable: 'no worker polls',
    });
    expect(renderFrame(unknown, plain)).toEqual(['trainRegisterDeploy  train-1  40s', '  no worker polls']);
  });

  it('stops its clock with the workflow', () => {
    const state = advance(initialState(running()), { kind: 'end', detail: closed(COMPLETED) });
    expect(renderFrame(state, { ...plain, now: at(9999) })[0]).toContain('2m 14s');
  });

  it('differs from the plain frame by colours alone', () => {
    const state = initialState(running(trainingProgress(640)));
    const colored = renderFrame(state, { ...plain, colors: picocolors.createColors(true) });
    expect(colored.join('')).toContain('\x1b[');
    expect(colored.map(stripVTControlCharacters).map((line) => line.trimEnd())).toEqual(renderFrame(state, plain));
  });
});
