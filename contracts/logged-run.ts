export interface LoggedRun {
  readonly experimentId: string;
  readonly runId: string;
  /** Page of the run in MLflow's UI, linked from the Temporal UI. */
  readonly url?: string;
}
