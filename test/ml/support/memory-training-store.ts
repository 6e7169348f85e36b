import { SaipError } from '../../../contracts/errors.ts';
import type { StoredCheckpoint, TrainingPlan, TrainingStore } from '../../../contracts/training-store.ts';

/** The store's contract in memory, for tests that need no database. */
export class MemoryTrainingStore implements TrainingStore {
  readonly commits: ({ key: string; token: number; deviceClass: string } & StoredCheckpoint)[] = [];
  readonly #tokens = new Map<string, number>();
  readonly #plans = new Map<string, TrainingPlan>();

  async acquireFence(key: string): Promise<number> {
    const token = (this.#tokens.get(key) ?? 0) + 1;
    this.#tokens.set(key, token);
    return token;
  }

  async commitCheckpoint(a: { key: string; token: number; deviceClass: string } & StoredCheckpoint): Promise<void> {
    this.#check(a.key, a.token);
    this.commits.push(a);
  }

  async latestCheckpoint(
    key: string,
    deviceClass: string,
    before = Number.POSITIVE_INFINITY,
  ): Promise<StoredCheckpoint | undefined> {
    const own = this.commits.filter(
      (commit) => commit.key === key && commit.deviceClass === deviceClass && commit.step < before,
    );
    return own.sort((a, b) => b.step - a.step)[0];
  }

  async savePlan(a: { key: string; token: number; deviceClass: string; plan: TrainingPlan }): Promise<void> {
    this.#check(a.key, a.token);
    this.#plans.set(`${a.key} ${a.deviceClass}`, a.plan);
  }

  async plan(key: string, deviceClass: string): Promise<TrainingPlan | undefined> {
    return this.#plans.get(`${key} ${deviceClass}`);
  }

  #check(key: string, token: number): void {
    if (this.#tokens.get(key) !== token) throw new SaipError('TRAINING_FENCED', `a newer attempt owns ${key}`);
  }
}
