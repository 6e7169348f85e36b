import { Registry } from 'prom-client';
import { GuardMetrics, GuardState, InferenceGuard, Watch } from '../../../api/serving/guard/index.ts';
import type { Protection } from '../../../contracts/misuse.ts';
import type { ModelProtection, NewFlag, OpenFlag } from '../../../lib/clients/index.ts';
import { UsageLedger, type LimitRule } from '../../../lib/limits/index.ts';

export interface GuardSetup {
  readonly rules?: readonly LimitRule[];
  readonly protection?: Protection;
  readonly protections?: readonly ModelProtection[];
  readonly flags?: OpenFlag[];
  /** Processes that share out rates. */
  readonly sharers?: number;
}

/** A guard of a test's own, with stores in memory; without settings it lets everything through. */
export async function guardInMemory({
  rules = [],
  protection = {},
  protections = [],
  flags = [],
  sharers,
}: GuardSetup = {}) {
  const raised: NewFlag[] = [];
  const registry = new Registry();
  const state = new GuardState({
    store: {
      rules: async () => rules,
      protections: async () => protections,
      flags: async () => [...flags],
      allowances: async () => [],
    },
    limits: { rate: 0, burst: 10, dailyRows: 0, budgetRows: 0 },
    ...(sharers !== undefined && { sharers }),
    protection: { onFlag: 'observe', minW: 0, maxStrangeShare: 1, outOfRange: 'off', ...protection },
    onError: () => undefined,
  });
  await state.refresh();
  const ledger = new UsageLedger({
    store: { add: async () => undefined, totals: async () => [] },
    onError: () => undefined,
  });
  const metrics = new GuardMetrics(registry, { flagged: () => state.flagged });
  const watch = new Watch({ onSkipped: (count) => metrics.skipped(count) });
  const raise = async (flag: NewFlag): Promise<void> => {
    raised.push(flag);
    flags.push({ id: 1, ...flag });
  };
  const guard = new InferenceGuard({ state, ledger, watch, metrics, slowRate: 1, raise, onError: () => undefined });
  return { guard, state, ledger, watch, registry, raised, flags };
}
