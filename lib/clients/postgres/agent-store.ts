import { z } from 'zod';
import { TranscriptEntry } from '../../../contracts/agent-task.ts';
import { DatabaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { execute, select, selectOne } from './query.ts';

const Stored = z.object({ inputSha256: z.string(), result: z.unknown() });

export interface AgentStep {
  /** Workflow id. */
  readonly task: string;
  /** Name of the step inside the task, e.g. `think/3` or `call/3.1`. */
  readonly step: string;
  /** Digest of what the step was given: a stored result belongs to exactly that. */
  readonly inputSha256: string;
}

export interface AgentStepOutcome {
  /** JSON. */
  readonly result: unknown;
  /** What the step adds to the transcript. */
  readonly entries: readonly TranscriptEntry[];
}

/** What the steps of agents' tasks came to, and what the tasks borrowed. Every method throws DatabaseError. */
export class AgentStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * The result of a step that was done already.
   * @throws DatabaseError DATABASE_CONFLICT when it was done with another input
   */
  async find({ task, step, inputSha256 }: AgentStep): Promise<{ readonly result: unknown } | undefined> {
    const sql = `SELECT input_sha256 AS "inputSha256", result FROM agent_steps WHERE task = $1 AND step = $2`;
    const found = await selectOne(this.#pool, Stored, sql, [task, step]);
    if (found === undefined) return undefined;
    if (found.inputSha256 === inputSha256) return { result: found.result };
    throw new DatabaseError('DATABASE_CONFLICT', `The step ${step} of ${task} was done with another input.`);
  }

  /** Keeps the first result of a step. @returns the one that is kept, which may be another attempt's */
  async keep(step: AgentStep, { result, entries }: AgentStepOutcome): Promise<unknown> {
    await execute(
      this.#pool,
      `INSERT INTO agent_steps (task, step, input_sha256, result, entries) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (task, step) DO NOTHING`,
      [step.task, step.step, step.inputSha256, JSON.stringify(result), JSON.stringify(entries)],
    );
    const kept = await this.find(step);
    if (kept === undefined) throw new DatabaseError('DATABASE_REJECTED', 'The stored step cannot be read.');
    return kept.result;
  }

  /** The transcript, in the order in which the steps were done. */
  async transcript(task: string): Promise<TranscriptEntry[]> {
    const row = z.object({ entries: z.array(TranscriptEntry) });
    const sql = 'SELECT entries FROM agent_steps WHERE task = $1 ORDER BY id';
    return (await select(this.#pool, row, sql, [task])).flatMap(({ entries }) => entries);
  }

  /** Notes a token before anything is borrowed under it. */
  async noteLogin(task: string, accessor: string): Promise<void> {
    await execute(this.#pool, 'INSERT INTO agent_logins (accessor, task) VALUES ($1, $2)', [accessor, task]);
  }

  /** Accessors of the task's tokens that nobody has revoked. */
  async openLogins(task: string): Promise<string[]> {
    const sql = 'SELECT accessor FROM agent_logins WHERE task = $1 AND revoked_at IS NULL ORDER BY created_at';
    return (await select(this.#pool, z.object({ accessor: z.string() }), sql, [task])).map(({ accessor }) => accessor);
  }

  async noteRevoked(accessor: string): Promise<void> {
    const sql = 'UPDATE agent_logins SET revoked_at = clock_timestamp() WHERE accessor = $1 AND revoked_at IS NULL';
    await execute(this.#pool, sql, [accessor]);
  }
}
