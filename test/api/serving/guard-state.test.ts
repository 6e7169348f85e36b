import { describe, expect, it } from '@jest/globals';
import { GuardState } from '../../../api/serving/guard/index.ts';
import type { ModelProtection } from '../../../lib/clients/index.ts';

/** A state whose looks end when the test lets them. */
function heldState() {
  const looks: PromiseWithResolvers<readonly ModelProtection[]>[] = [];
  const state = new GuardState({
    store: {
      rules: async () => [],
      protections: () => {
        const look = Promise.withResolvers<readonly ModelProtection[]>();
        looks.push(look);
        return look.promise;
      },
      flags: async () => [],
      allowances: async () => [],
    },
    limits: { rate: 0, burst: 10, dailyRows: 0, budgetRows: 0 },
    protection: { onFlag: 'observe', minW: 0, maxStrangeShare: 1, outOfRange: 'off' },
    onError: () => undefined,
  });
  return { state, looks };
}

const labelsOnly: ModelProtection = {
  ...{ model: 'm', setBy: 'admin', setAt: '2026-01-01T00:00:00Z' },
  settings: { labelsOnly: true },
};

describe('a look at limits and protections', () => {
  it('that began before another and ends after it takes nothing back', async () => {
    const { state, looks } = heldState();
    const timed = state.refresh();
    const afterChange = state.refresh();
    looks[1]?.resolve([labelsOnly]);
    await afterChange;
    expect(state.protection('m', [])).toMatchObject({ labelsOnly: true });
    looks[0]?.resolve([]);
    await timed;
    expect(state.protection('m', [])).toMatchObject({ labelsOnly: true });
    expect(state.version).toBe(1);
  });

  it('that fails lets the next one count', async () => {
    const { state, looks } = heldState();
    const failed = state.refresh();
    looks[0]?.reject(new Error('away'));
    await expect(failed).rejects.toThrow('away');
    const next = state.refresh();
    looks[1]?.resolve([labelsOnly]);
    await next;
    expect(state.protection('m', [])).toMatchObject({ labelsOnly: true });
  });
});
