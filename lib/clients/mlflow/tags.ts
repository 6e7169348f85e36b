/** Tags of the platform on runs, logged models and versions; MLflow's searches find them. */
export const MLFLOW_TAGS = {
  /** What identifies a run, its logged model and its version across attempts: the workflow's id. */
  runKey: 'saip.run_key',
  workflowRunId: 'saip.workflow_run_id',
  /** The platform's own version number; MLflow counts for itself. */
  version: 'saip.version',
  /** Digest of the signed model folder. */
  digest: 'saip.digest',
  signature: 'saip.signature.sha256',
  withdrawn: 'saip.withdrawn',
  /** Digest of the manifest of the version's release. */
  release: 'saip.release.manifest.sha256',
  outcome: 'saip.outcome',
  reasons: 'saip.reasons',
} as const;
