/** What identifies a run across stages and attempts. `key` is the workflow id: every external write derives from it. */
export interface RunContext {
  readonly key: string;
  readonly runId: string;
  readonly requestedBy: string;
}
