-- batch_score_shards: shards of files that are scored by a workflow. A row is there from the moment its records are
-- charged to their caller, which happens once, and holds the result from the moment that is durable.

CREATE TABLE batch_score_shards (
  workflow_id text        NOT NULL,
  shard       integer     NOT NULL CHECK (shard >= 0),
  tenant      text        NOT NULL,
  records     integer     NOT NULL CHECK (records > 0),
  charged_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  result      jsonb,
  PRIMARY KEY (workflow_id, shard)
);
CREATE INDEX batch_score_shards_age ON batch_score_shards (charged_at);

-- batch_scores: what the shards of a file came to, and the artifacts that are removed with it.

CREATE TABLE batch_scores (
  workflow_id text        PRIMARY KEY,
  result      jsonb       NOT NULL,
  finished_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX batch_scores_age ON batch_scores (finished_at);

GRANT SELECT, INSERT, DELETE, UPDATE (result) ON batch_score_shards TO saip_worker;
GRANT SELECT, INSERT, DELETE ON batch_scores TO saip_worker;

-- Batches count and are stopped as requests are.
GRANT SELECT ON usage_limits, model_protections, serving_switches TO saip_worker;
GRANT SELECT, INSERT ON misuse_flags TO saip_worker;
GRANT SELECT, INSERT, UPDATE ON inference_usage TO saip_worker;
-- A file is of use as long as it is scored.
GRANT UPDATE (uploaded_at) ON dataset_uploads TO saip_worker;
