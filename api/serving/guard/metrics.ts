import { Counter, Gauge, type Registry } from 'prom-client';
import type { ErrorCode } from '../../../contracts/errors.ts';

/** Callers with a series of their own; everybody after them shares one. */
const PRINCIPALS = 100;
const OTHERS = 'other';

/** What a caller asked of a model since the process began; added to on every request, read when metrics are. */
export interface Use {
  requests: number;
  rows: number;
}

/** What the guard did, and who uses what. */
export class GuardMetrics {
  readonly #refused: Counter<'model' | 'code'>;
  readonly #flags: Counter<'model' | 'kind'>;
  readonly #hardened: Counter<'model'>;
  readonly #outOfRange: Counter<'model' | 'action'>;
  readonly #skipped: Counter;
  readonly #principals = new Set<string>();
  readonly #uses = new Map<string, { readonly principal: string; readonly model: string; readonly use: Use }>();

  constructor(registry: Registry, { flagged }: { readonly flagged: () => number }) {
    const registers = [registry];
    const help = `After ${PRINCIPALS} callers the rest is "${OTHERS}".`;
    this.#counter('requests', `Predictions by caller and model. ${help}`, registers);
    this.#counter('rows', `Rows that were asked, by caller and model. ${help}`, registers);
    this.#refused = new Counter({
      name: 'saip_guard_refused_total',
      help: 'Predictions that a limit, a quota, a flag or a range refused.',
      labelNames: ['model', 'code'] as const,
      registers,
    });
    this.#flags = new Counter({
      name: 'saip_misuse_flags_total',
      help: 'Callers who were flagged by this process.',
      labelNames: ['model', 'kind'] as const,
      registers,
    });
    new Gauge({
      name: 'saip_misuse_flagged',
      help: 'Callers and models with an open flag.',
      registers,
      collect() {
        this.set(flagged());
      },
    });
    this.#hardened = new Counter({
      name: 'saip_hardened_answers_total',
      help: 'Answers that told less than the model gave.',
      labelNames: ['model'] as const,
      registers,
    });
    this.#outOfRange = new Counter({
      name: 'saip_inputs_out_of_range_total',
      help: "Rows out of the range of the training's data.",
      labelNames: ['model', 'action'] as const,
      registers,
    });
    this.#skipped = new Counter({
      name: 'saip_misuse_rows_skipped_total',
      help: 'Rows that were not looked at for patterns, because they came too fast.',
      registers,
    });
  }

  /** What the caller's requests are to be added to. */
  use(caller: string, model: string): Use {
    if (this.#principals.size < PRINCIPALS) this.#principals.add(caller);
    const principal = this.#principals.has(caller) ? caller : OTHERS;
    const key = `${principal}\u0000${model}`;
    const known = this.#uses.get(key) ?? { principal, model, use: { requests: 0, rows: 0 } };
    this.#uses.set(key, known);
    return known.use;
  }

  refused(model: string, code: ErrorCode): void {
    this.#refused.inc({ model, code });
  }

  flagged(model: string, kind: string): void {
    this.#flags.inc({ model, kind });
  }

  hardened(model: string): void {
    this.#hardened.inc({ model });
  }

  outOfRange(model: string, action: string, rows: number): void {
    this.#outOfRange.inc({ model, action }, rows);
  }

  skipped(rows: number): void {
    this.#skipped.inc(rows);
  }

  #counter(what: keyof Use, help: string, registers: Registry[]): void {
    const uses = this.#uses;
    new Counter({
      name: `saip_usage_${what}_total`,
      help,
      labelNames: ['principal', 'model'] as const,
      registers,
      collect() {
        this.reset();
        for (const { principal, model, use } of uses.values()) this.inc({ principal, model }, use[what]);
      },
    });
  }
}
