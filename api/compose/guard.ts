import type { Registry } from 'prom-client';
import { MisuseFlags, ModelProtections, UsageLimits, UsageLog, type Pool } from '../../lib/clients/index.ts';
import type { SaipConfig } from '../../lib/config/index.ts';
import { UsageLedger } from '../../lib/limits/index.ts';
import type { Logger } from '../http/error-handler.ts';
import type { ExtractionRoutesOptions, LimitRoutesOptions, MisuseRoutesOptions } from '../routes/index.ts';
import { GuardMetrics, GuardState, InferenceGuard, Watch } from '../serving/index.ts';

export interface Guard {
  readonly guard: InferenceGuard;
  readonly limits: LimitRoutesOptions;
  readonly budgets: ExtractionRoutesOptions['limits'];
  readonly misuse: Omit<MisuseRoutesOptions, 'requireModel'>;
  /** To be called before the first request. */
  start(): Promise<void>;
  /** Writes the counts that are left. */
  stop(): Promise<void>;
}

interface GuardParts {
  readonly config: SaipConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly pool: Pool;
}

/** Limits, usage and misuse of the data plane: kept in PostgreSQL, decided in this process. */
export function composeGuard({ config, logger, registry, pool }: GuardParts): Guard {
  const usage = new UsageLog(pool);
  const limits = new UsageLimits(pool);
  const flags = new MisuseFlags(pool);
  const protections = new ModelProtections(pool);
  const { slowRate, ...protection } = config.misuse;
  const { shares, rate, burst, dailyRows, budgetRows } = config.limits;
  const defaults = { rate, burst, dailyRows, budgetRows };
  const sharers = shares === 'divided' ? config.api.processes : 1;
  const state = new GuardState({
    store: {
      rules: () => limits.rules(),
      protections: () => protections.all(),
      flags: () => flags.open(),
      allowances: () => flags.allowances(),
    },
    limits: defaults,
    sharers,
    protection,
    onError: (error) => logger.warn({ err: error }, 'limits and flags cannot be read; those read before count'),
  });
  const ledger = new UsageLedger({
    store: usage,
    onError: (error) => logger.warn({ err: error }, 'usage waits to be written'),
  });
  const metrics = new GuardMetrics(registry, { flagged: () => state.flagged });
  const watch = new Watch({ onSkipped: (rows) => metrics.skipped(rows) });
  const guard = new InferenceGuard({
    ...{ state, ledger, watch, metrics },
    slowRate: slowRate / sharers,
    raise: async (flag) => {
      if (!(await flags.raise(flag))) return;
      const { model, kind, evidence } = flag;
      logger.warn({ model, kind, evidence }, 'a caller was flagged');
    },
    onError: (error) => logger.warn({ err: error }, 'a flag waits to be written'),
  });
  const onChange = (): Promise<void> => state.refresh();
  return {
    guard,
    limits: { limits, usage, defaults, onChange, flush: () => ledger.flush() },
    budgets: limits,
    misuse: { flags, protections, defaults: protection, onChange },
    start: async () => {
      await state.start();
      await ledger.start();
    },
    stop: async () => {
      state.stop();
      await ledger.stop();
    },
  };
}
