import { z } from 'zod';
import type { Pool } from './pool.ts';
import { execute, select } from './query.ts';

const ServingSwitch = z.object({
  /** Grows with every switch. */
  id: z.int(),
  model: z.string(),
  /** Whether the model is in service. */
  load: z.boolean(),
});
export type ServingSwitch = z.infer<typeof ServingSwitch>;

export interface NewSwitch {
  readonly model: string;
  readonly load: boolean;
  readonly actor: string;
}

/** Models that are out of service by an administrator's word, and when they were last loaded. Throws DatabaseError. */
export class ServingSwitches {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Every process that serves hears of it. */
  async add({ model, load, actor }: NewSwitch): Promise<void> {
    const sql = 'INSERT INTO serving_switches (model, load, actor) VALUES ($1, $2, $3)';
    await execute(this.#pool, sql, [model, load, actor]);
  }

  /** The switch in force of every model that has one. */
  current(): Promise<ServingSwitch[]> {
    const sql = 'SELECT DISTINCT ON (model) id::float8, model, load FROM serving_switches ORDER BY model, id DESC';
    return select(this.#pool, ServingSwitch, sql);
  }
}
