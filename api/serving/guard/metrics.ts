import { Counter, Gauge, type Registry } from 'prom-client';
import type { ErrorCode } from '../../../contracts/errors.ts';

/** Callers with a series of their own; everybody after them shares one. */
const PRINCIPALS = 100;
const OTHERS = 'other';

/** What the guard did, and who uses what. */
export class GuardMetrics {
  readonly #requests: Counter<'principal' | 'model'>;
  readonly #rows: Counter<'principal' | 'model'>;
  readonly #refused: Counter<'model' | 'code'>;
  readonly #flags: Counter<'model' | 'kind'>;
  readonly #hardened: Counter<'model'>;
  readonly #outOfRange: Counter<'model' | 'action'>;
  readonly #skipped: Counter;
  readonly #principals = new Set<string>();

  constructor(registry: Registry, { flagged }: { readonly flagged: () => number }) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'saip_usage_requests_total',
      help: `Predictions by caller and model. After ${PRINCIPALS} callers the rest is "${OTHERS}".`,
      labelNames: ['principal', 'model'] as const,
      registers,
    });
    this.#rows = new Counter({
      name: 'saip_usage_rows_total',
      help: 'Rows that were asked, by caller and model.',
      labelNames: ['principal', 'model'] as const,
      registers,
    });
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

  used(principal: string, model: string, rows: number): void {
    const known = this.#principals.has(principal);
    if (!known && this.#principals.size < PRINCIPALS) this.#principals.add(principal);
    const labels = { principal: this.#principals.has(principal) ? principal : OTHERS, model };
    this.#requests.inc(labels);
    this.#rows.inc(labels, rows);
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
}
