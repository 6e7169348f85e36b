import { describe, expect, it } from '@jest/globals';
import { validationOf } from '../../lib/ml/training/history.ts';
import { quantityMeasures } from '../../lib/ml/training/quantity.ts';

describe('what the loss of a regression says', () => {
  it('is RMSE in the unit of the target, and R²', () => {
    // Targets 0, 10, 20, 30 with mean 10 and scale 5 of the training split; predictions are 2 off.
    const targets = [-2, 0, 2, 4];
    const mean = 1;
    const variance = targets.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4;
    const { rmse, r2 } = quantityMeasures(0.16, { scale: 5, variance });
    expect(rmse).toBeCloseTo(2, 12);
    expect(r2).toBeCloseTo(1 - 4 / 125, 12);
  });

  it('of a constant target is as in the evaluation', () => {
    expect(quantityMeasures(0, { scale: 1, variance: 0 })).toEqual({ rmse: 0, r2: 1 });
    expect(quantityMeasures(0.25, { scale: 2, variance: 0 })).toEqual({ rmse: 1, r2: 0 });
  });
});

describe('the validation after an epoch', () => {
  const line = (values: object): string => `${JSON.stringify({ step: 1, epoch: 1, loss: 1, ...values })}\n`;

  it('is accuracy of classes, or RMSE and R² of a quantity', () => {
    expect(validationOf(line({ valLoss: 0.5, valAccuracy: 0.9 }), 1)).toEqual({ epoch: 1, loss: 0.5, accuracy: 0.9 });
    expect(validationOf(line({ valLoss: 0.5, valRmse: 7, valR2: 0.4 }), 1)).toEqual({
      ...{ epoch: 1, loss: 0.5, rmse: 7, r2: 0.4 },
    });
  });

  it('is nothing where it is not finite, or of another epoch', () => {
    expect(validationOf(line({ valLoss: Number.NaN, valRmse: Number.NaN, valR2: Number.NaN }), 1)).toBeUndefined();
    expect(validationOf(line({ valLoss: 0.5, valAccuracy: 0.9 }), 2)).toBeUndefined();
  });
});
