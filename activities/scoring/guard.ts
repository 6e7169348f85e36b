import type { ScoreCounts, ScoreInput } from '../../contracts/batch-score.ts';
import { SaipError } from '../../contracts/errors.ts';
import type { FlagKind } from '../../contracts/misuse.ts';
import type { MisuseFlags, ModelProtections, UsageLimits } from '../../lib/clients/index.ts';
import type { SaipConfig } from '../../lib/config/index.ts';
import { LimitRules } from '../../lib/limits/index.ts';
import type { Account, EffectiveLimit } from '../../lib/limits/index.ts';
import { protectionOf } from '../../lib/scoring/index.ts';

export interface GuardDependencies {
  readonly limits: Pick<UsageLimits, 'rules'>;
  readonly protections: Pick<ModelProtections, 'all'>;
  readonly flags: Pick<MisuseFlags, 'open' | 'allowances' | 'raise'>;
  /** What counts where nothing is set. */
  readonly defaults: Pick<SaipConfig, 'limits' | 'misuse'>;
}

export interface BatchRules {
  readonly account: Account;
  readonly limit: EffectiveLimit;
  readonly protection: ReturnType<typeof protectionOf<SaipConfig['misuse']>>;
  /** Whether the caller has an open flag for the model. */
  readonly flagged: boolean;
  /** Rows of the query budget, with what a person let pass. */
  readonly budget: number;
}

/** Records below which a share says nothing, as for requests. */
const LEAST = 200;

/** The rules that a caller's requests are under, for the caller's files; read anew for each shard. */
export class BatchGuard {
  readonly #with: GuardDependencies;

  constructor(dependencies: GuardDependencies) {
    this.#with = dependencies;
  }

  async rulesFor({ model, tenant, requestedBy: subject, roles, apiKey }: ScoreInput): Promise<BatchRules> {
    const { limits, protections, flags, defaults } = this.#with;
    const [rules, rows, open, allowances] = await Promise.all([
      limits.rules(),
      protections.all(),
      flags.open(),
      flags.allowances(),
    ]);
    const same = (one: { tenant: string; subject: string; model: string }): boolean =>
      one.tenant === tenant && one.subject === subject && one.model === model;
    const limit = new LimitRules(rules, defaults.limits).for({ tenant, subject, roles, apiKey }, model);
    return {
      account: { tenant, subject, apiKey: apiKey ?? '', model },
      limit,
      protection: protectionOf(defaults.misuse, rows, { model, roles }),
      flagged: open.some(same),
      budget: limit.budgetRows === 0 ? 0 : limit.budgetRows + (allowances.find(same)?.rows ?? 0),
    };
  }

  /**
   * A flagged caller whom the model slows or stops gets no batch: there is no slow way through a file of a million rows.
   * @throws SaipError MISUSE_STOPPED
   */
  admit({ requestedBy, model }: ScoreInput, { flagged, protection }: BatchRules): void {
    if (!flagged || protection.onFlag === 'observe') return;
    throw new SaipError('MISUSE_STOPPED', `${requestedBy} was flagged for ${model} and gets no more files scored.`);
  }

  /** Flags a caller over the query budget, as requests would. @param window rows that are charged, these included */
  async spend(rules: BatchRules, window: number): Promise<void> {
    const { budget } = rules;
    if (budget > 0 && window > budget) await this.#flag(rules, 'query-budget', { rows: window, budget });
  }

  /** Flags a caller whose records are not like those of the training, as requests would. */
  async judge(rules: BatchRules, { scored, refused, outOfRange }: ScoreCounts): Promise<void> {
    const { maxStrangeShare: threshold, outOfRange: action } = rules.protection;
    // Where such records are refused they count among the refused ones.
    const rows = action === 'refuse' ? scored + refused : scored;
    const share = (action === 'refuse' ? refused : outOfRange) / Math.max(1, rows);
    if (rows < LEAST || share <= threshold) return;
    await this.#flag(rules, 'out-of-distribution', { share, rows, threshold });
  }

  async #flag({ account }: BatchRules, kind: FlagKind, evidence: Readonly<Record<string, number>>): Promise<void> {
    const { tenant, subject, model } = account;
    await this.#with.flags.raise({ tenant, subject, model, kind, evidence });
  }
}
