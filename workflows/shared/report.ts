import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Outcome, Progress, StageProgress, StageStatus } from '../../contracts/progress.ts';
import { renderReport } from './markdown.ts';
import type { Link } from './markdown.ts';
import { searchAttributePairs } from './search-attributes.ts';

export interface ReportOptions<S extends string> {
  readonly title: string;
  /** Stages in order, each with its usual share of the duration (any unit). */
  readonly stages: Readonly<Record<S, number>>;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const ENDED: readonly StageStatus[] = ['done', 'reused', 'skipped', 'failed'];

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function now(): string {
  return new Date().toISOString();
}

/**
 * What a run tells the world: the answer of `progress`, the Markdown of the Temporal UI, the attribute `SaipStage`.
 * Every change publishes all three, so that they cannot disagree.
 */
export class RunReport<S extends string> {
  readonly #title: string;
  readonly #stages: Writable<StageProgress>[];
  readonly #links: Link[] = [];
  readonly #metrics: Record<string, number> = {};
  #stage: string;
  #outcome: Outcome = 'running';
  #reasons: readonly string[] = [];
  #approval: Progress['approval'];
  #indexed: string | undefined;
  #advanced: { readonly name: string; readonly done: number } | undefined;

  constructor(options: ReportOptions<S>) {
    this.#title = options.title;
    const entries = Object.entries<number>(options.stages);
    const total = sum(entries.map(([, weight]) => weight));
    this.#stages = entries.map(([name, weight]) => ({ name, status: 'pending', share: (100 * weight) / total }));
    this.#stage = this.#stages[0]?.name ?? '';
  }

  progress(): Progress {
    return {
      stage: this.#stage,
      stages: this.#stages.map((stage) => ({ ...stage })),
      outcome: this.#outcome,
      percent: this.#percent(),
      metrics: { ...this.#metrics },
      ...(this.#reasons.length > 0 && { reasons: [...this.#reasons] }),
      ...(this.#approval && { approval: { ...this.#approval } }),
    };
  }

  begin(name: S): void {
    const stage = this.#find(name);
    stage.status = 'running';
    stage.startedAt ??= now();
    stage.endedAt = undefined;
    stage.detail = undefined;
    this.#stage = name;
    this.#advanced = undefined;
    this.#publish();
  }

  /** Whether the stage was ever begun. */
  begun(name: S): boolean {
    return this.#find(name).startedAt !== undefined;
  }

  /** A note on the stage that runs: what it waits for, or how far it is. */
  note(name: S, status: 'running' | 'waiting', detail: string): void {
    const stage = this.#find(name);
    stage.status = status;
    stage.detail = detail;
    this.#publish();
  }

  /** How far the stage that runs is, 0…1: counts towards the percentage of the run. */
  advance(name: S, done: number, detail: string): void {
    this.#advanced = { name, done };
    this.note(name, 'running', detail);
  }

  end(name: S, status: StageStatus, detail?: string): void {
    const stage = this.#find(name);
    stage.status = status;
    stage.detail = detail;
    if (stage.startedAt !== undefined) stage.endedAt = now();
    this.#publish();
  }

  /** Opens (or, without argument, closes) the question that a person is asked; published with the next change. */
  ask(approval?: Progress['approval']): void {
    this.#approval = approval;
  }

  measure(metrics: Readonly<Record<string, number>>): void {
    Object.assign(this.#metrics, metrics);
  }

  link(label: string, url: string | undefined): void {
    if (url !== undefined) this.#links.push({ label, url });
  }

  /** The last word. Stages that were not reached are `skipped`. */
  close(outcome: Outcome, reasons: readonly string[] = []): void {
    this.#outcome = outcome;
    this.#reasons = reasons;
    this.#approval = undefined;
    for (const stage of this.#stages) {
      if (!ENDED.includes(stage.status)) stage.status = 'skipped';
    }
    this.#publish();
  }

  #find(name: S): Writable<StageProgress> {
    const stage = this.#stages.find((candidate) => candidate.name === name);
    if (stage === undefined) throw new TypeError(`no stage ${name}`);
    return stage;
  }

  #percent(): number {
    if (this.#outcome === 'completed') return 100;
    const ended = this.#stages.filter(({ status }) => ['done', 'reused', 'skipped'].includes(status));
    const running = this.#stages.find(({ name, status }) => name === this.#advanced?.name && status === 'running');
    const partly = (running?.share ?? 0) * (this.#advanced?.done ?? 0);
    return Math.min(100, Math.round(sum(ended.map(({ share }) => share ?? 0)) + partly));
  }

  #publish(): void {
    setCurrentDetails(renderReport(this.#title, this.progress(), this.#links));
    const stage = this.#outcome === 'running' ? this.#stage : this.#outcome;
    if (stage === this.#indexed) return;
    this.#indexed = stage;
    upsertSearchAttributes(searchAttributePairs({ SaipStage: stage }));
  }
}
