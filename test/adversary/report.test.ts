import { describe, expect, it } from '@jest/globals';
import { AttackRequest } from '../../contracts/attack-retest.ts';
import { HARDENING, renderReport, resolveAttackInput } from '../../lib/adversary/index.ts';
import type { AttackReport } from '../../lib/adversary/index.ts';
import { examplePicture } from '../../lib/evaluation/index.ts';

describe('a request', () => {
  const resolve = (body: object) => resolveAttackInput(AttackRequest.parse({ model: 'm', ...body }), 'ann');

  it('measures the goal’s ε too, in ascending order without repetition', () => {
    expect(resolve({ epsilons: [0.3, 0.1, 0.3], goal: { epsilon: 0.15 } }).measurement.epsilons).toEqual([
      0.1, 0.15, 0.3,
    ]);
  });

  it('hardens by the recipe at an ε that follows from the goal, with its own training over it', () => {
    const { harden } = resolve({ goal: { epsilon: 0.1 }, harden: { training: { epochs: 2 } } });
    expect(harden?.training).toMatchObject({ epochs: 2, batchSize: HARDENING.batchSize });
    expect(harden?.training.adversarial?.epsilon).toBeGreaterThanOrEqual(0.1);
    expect(resolve({ harden: { training: { adversarial: { epsilon: 0.4 } } } }).harden?.training.adversarial).toEqual({
      epsilon: 0.4,
      steps: 1,
      share: 1,
      dropout: false,
    });
    expect(resolve({ goal: { epsilon: 1 } }).harden?.training.adversarial?.epsilon).toBe(1);
  });

  it('hardens nothing when it is told so', () => {
    expect(resolve({ harden: { enabled: false } }).harden).toBeUndefined();
  });
});

const interval = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });
const version = (number: string, clean: number, worst: number): AttackReport['attacked'] => {
  const byEpsilon = [{ epsilon: 0.2, accuracy: interval(worst) }];
  return {
    version: number,
    digest: 'a'.repeat(64),
    configSha256: 'b'.repeat(64),
    measured: {
      samples: 1000,
      clean: interval(clean),
      attacks: [{ attack: 'pgd-20', epsilon: 0.2, accuracy: interval(worst) }],
      worst: byEpsilon,
      served: { examples: 2000, same: 2000, clean: interval(clean), worst: byEpsilon },
      gradients: 21_000,
      seconds: 7.5,
      deviceClass: 'cpu-avx2',
    },
  };
};
const report: AttackReport = {
  version: 1,
  model: 'mnist-cnn',
  dataset: 'mnist',
  workflowId: 'attack-1',
  requestedBy: 'ann',
  measurement: { attacks: [{ kind: 'pgd', steps: 20, restarts: 1 }], epsilons: [0.2], samples: 1000, seed: 7 },
  goal: { epsilon: 0.2, minRobustAccuracy: 0.8 },
  attacked: version('1', 0.99, 0.01),
  hardened: [],
  reasons: ['nobody hardened it'],
};

describe('report.md', () => {
  it('says that no version holds out, with the reasons', () => {
    const text = renderReport(report);
    expect(text).toContain('No version holds out: 80.0 % at ε = 0.2 was asked for. nobody hardened it');
    expect(text).toContain('| **worst case, ε = 0.2** | 1.0 % [0.0, 2.0] |');
    expect(text).toContain('First measurement of this configuration');
  });

  it('compares a hardened version with the attacked one', () => {
    const stronger = { attack: 'pgd-100', epsilon: 0.2, accuracy: interval(0.81), seconds: 20 };
    const hardened = {
      ...version('2', 0.97, 0.85),
      stronger,
      trainingWorkflowId: 'attack-1-harden-1',
      cleanChange: -0.02,
      worstChange: 0.84,
    };
    const text = renderReport({ ...report, hardened: [hardened], robustVersion: '2', reasons: [] });
    expect(text).toContain('Version 1 does not hold out (80.0 % at ε = 0.2 was asked for); version 2, hardened, does.');
    expect(text).toContain('| pgd-20, ε = 0.2 | 1.0 % [0.0, 2.0] | 85.0 % [84.0, 86.0] |');
    expect(text).toContain('| **pgd-100, ε = 0.2** | – | 81.0 % [80.0, 82.0] |');
    expect(text).toContain('+84.0 points of worst-case accuracy at ε = 0.2, -2.0 points of clean accuracy');
  });
});

describe('the picture', () => {
  it('escapes what comes from outside', () => {
    const pixels = new Float32Array(4);
    const row = { original: pixels, adversarial: pixels, epsilon: 0.1, truth: '<b>', before: '"a"', after: '&' };
    const svg = examplePicture({
      title: '</svg>',
      shape: [2, 2, 1],
      range: { low: 0, high: 255 },
      rows: [{ title: 'x', ...row }],
    });
    expect(svg).not.toContain('<b>');
    expect(svg.match(/<\/svg>/g)).toHaveLength(1);
    expect(svg).toContain('predicted &quot;a&quot;');
  });
});
