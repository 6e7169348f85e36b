import { describe, expect, it } from '@jest/globals';
import { buildAttackRequest } from '../../cli/actions/attack-request.ts';

describe('buildAttackRequest', () => {
  it('names the model and leaves every default to the server', () => {
    expect(buildAttackRequest('mnist-cnn', {})).toEqual({ model: 'mnist-cnn' });
  });

  it('puts options on top and --set last', () => {
    const options = {
      modelVersion: '3',
      epsilon: [0.3, 0.1],
      samples: 500,
      steps: 40,
      goal: 0.7,
      goalEpsilon: 0.1,
      rounds: 1,
      minutes: 5,
      set: ['harden.training.epochs=4', 'budget.minutes=9'],
    };
    expect(buildAttackRequest('mnist-cnn', options)).toEqual({
      model: 'mnist-cnn',
      version: '3',
      epsilons: [0.1, 0.3],
      samples: 500,
      attacks: [{ kind: 'fgsm' }, { kind: 'pgd', steps: 40 }],
      goal: { minRobustAccuracy: 0.7, epsilon: 0.1 },
      budget: { rounds: 1, minutes: 9 },
      harden: { training: { epochs: 4 } },
    });
    expect(buildAttackRequest('m', { harden: false })).toEqual({ model: 'm', harden: { enabled: false } });
  });

  it('names what is wrong', () => {
    expect(() => buildAttackRequest('m', { set: ['samples=none'] })).toThrow(/^samples: /);
    expect(() => buildAttackRequest('m', { set: ['magic=1'] })).toThrow(/magic/);
    expect(() => buildAttackRequest('No Name', {})).toThrow(/^model: /);
  });
});
