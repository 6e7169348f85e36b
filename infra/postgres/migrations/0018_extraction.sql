-- extraction_curves: what a copy of a version costs in queries, once a workflow. Budgets are taken from the newest.

CREATE TABLE extraction_curves (
  id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model         text        NOT NULL,
  version       integer     NOT NULL,
  digest        text        NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  config_sha256 text        NOT NULL CHECK (config_sha256 ~ '^[0-9a-f]{64}$'),
  extraction    jsonb       NOT NULL,
  curve         jsonb       NOT NULL,
  workflow_id   text        NOT NULL,
  run_id        text        NOT NULL,
  mlflow_run_id text        NOT NULL,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (model, version) REFERENCES model_versions (model, version),
  UNIQUE (workflow_id, run_id)
);
CREATE INDEX extraction_curves_model ON extraction_curves (model, id);

CREATE TRIGGER extraction_curves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON extraction_curves
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON extraction_curves TO saip_worker;
GRANT SELECT ON extraction_curves TO saip_api;

-- usage_limits.budget_source: curve, threshold and kind of answers that a budget was taken from. Absent where a person
-- chose the number.

ALTER TABLE usage_limits ADD COLUMN budget_source jsonb,
  ADD CHECK (budget_source IS NULL OR budget_rows IS NOT NULL);

-- inference_usage: counts of days long gone are let go, as old records of the audit log are.

GRANT SELECT (day), DELETE ON inference_usage TO saip_sequencer;
