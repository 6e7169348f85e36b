import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import { changeLines } from '../../cli/follow/changes.ts';
import { renderFrame } from '../../cli/follow/frame.ts';
import { initialState } from '../../cli/follow/state.ts';
import type { FollowState } from '../../cli/follow/state.ts';
import { renderSummary } from '../../cli/follow/summary.ts';
import type { WorkflowDetail } from '../../contracts/api.ts';
import type { AttackResult, Measured } from '../../contracts/attack-retest.ts';
import { recordedIo } from './support/terminal.ts';
import { at, iso, progress, running, STARTED_AT } from './support/workflow.ts';

const colors = picocolors.createColors(false);

function attacking(attack: string): FollowState {
  const stages = [
    { name: 'resolveTarget', status: 'done' as const, startedAt: iso(0), endedAt: iso(2) },
    { name: 'attack', status: 'running' as const, startedAt: iso(2) },
  ];
  const heartbeat = {
    ...{ kind: 'attack' as const, shard: 1, shards: 2, attack, done: 0.5, durable: 250, samples: 500 },
    ...{ throughput: 2104.2, eta: 12, device: 'cpu' },
  };
  return initialState(running(progress(stages, { stage: 'attack', percent: 40, eta: 12, attacks: [heartbeat] })));
}

const NOTE = 'shard 2/2 · pgd-20 at 0.2 · 250/500 samples done · 2,104 gradients/s · ETA 12s';

describe('a followed attack', () => {
  it('shows a bar and a line for each shard that runs', () => {
    const frame = renderFrame(attacking('pgd-20 at 0.2'), { now: at(40), columns: 80, colors });
    expect(frame[2]).toMatch(/● attack +38s/);
    expect(frame[3]).toMatch(/█{20}░{20} {2}50 %/);
    expect(frame[4]).toBe(`    ${NOTE}`);
  });

  it('writes a line whenever a shard comes to another attack', () => {
    const options = { now: at(40), colors };
    const [before, after] = [attacking('fgsm at 0.2'), attacking('pgd-20 at 0.2')];
    expect(changeLines(before, after, options)).toEqual([`  attack ${NOTE}`]);
    expect(changeLines(after, after, options)).toEqual([]);
  });
});

const interval = (value: number) => ({ value, low: value - 0.02, high: value + 0.02 });
const measured = (clean: number, worst: number): Measured => {
  const byEpsilon = [{ epsilon: 0.2, accuracy: interval(worst) }];
  return {
    samples: 1000,
    clean: interval(clean),
    attacks: [{ attack: 'pgd-20', epsilon: 0.2, accuracy: interval(worst) }],
    worst: byEpsilon,
    served: { examples: 2000, same: 1998, clean: interval(clean), worst: byEpsilon },
    gradients: 21_000,
    seconds: 8,
    deviceClass: 'cpu-avx512',
  };
};
const version = (number: string, clean: number, worst: number) => ({
  version: number,
  digest: 'a'.repeat(64),
  configSha256: 'c'.repeat(64),
  measured: measured(clean, worst),
});
const result: AttackResult = {
  outcome: 'completed',
  reasons: [],
  model: 'mnist-cnn',
  goal: { epsilon: 0.2, minRobustAccuracy: 0.8 },
  attacked: version('1', 0.99, 0.05),
  hardened: [
    {
      ...version('2', 0.97, 0.85),
      stronger: { attack: 'pgd-100', epsilon: 0.2, accuracy: interval(0.83), seconds: 30 },
      trainingWorkflowId: 'attack-1-harden-1',
      cleanChange: -0.02,
      worstChange: 0.8,
    },
  ],
  baseline: {
    version: '1',
    kind: 'same-model',
    measuredAt: STARTED_AT,
    workflowId: 'attack-0',
    cleanChange: 0,
    worstChanges: [{ epsilon: 0.2, change: 0 }],
  },
  robustVersion: '2',
  mlflow: { experimentId: '1', runId: 'abc' },
};

describe('the end of an attack', () => {
  it('compares the versions, and says what hardening gave and cost', () => {
    const detail: WorkflowDetail = {
      ...running(),
      type: 'attackRetest',
      status: 'completed',
      closedAt: iso(300),
      result,
    };
    const stack = { api: 'http://api', mlflow: 'http://mlflow', docs: 'http://api/docs' };
    const lines = renderSummary(detail, { stack }, recordedIo()).split('\n');
    expect(lines[0]).toMatch(/completed in 5m/);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^pgd-20 ε 0\.2 +5\.0 % \[3\.0 %, 7\.0 %\] +85\.0 % \[83\.0 %, 87\.0 %\]/),
        expect.stringMatching(/^pgd-100 ε 0\.2 +– +83\.0 %/),
        expect.stringMatching(/^served graph agrees +99\.9 %/),
        expect.stringMatching(/^robust version +2$/),
        expect.stringMatching(/^hardening +-2\.0 points clean for \+80\.0 points in the worst case \(version 2\)$/),
        expect.stringMatching(/^baseline +0\.0 points against the same model/),
        expect.stringMatching(/^MLflow run +http:\/\/mlflow\/#\/experiments\/1\/runs\/abc$/),
      ]),
    );
  });
});
