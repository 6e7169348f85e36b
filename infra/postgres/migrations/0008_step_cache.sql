-- step_entries: what a stage came to under its key, which is the digest of all that decides it. The result itself never
-- changes; using it moves its end. A wrong or expired entry is deleted, and made again by the stage.

CREATE TABLE step_entries (
  key         text        PRIMARY KEY CHECK (key ~ '^[0-9a-f]{64}$'),
  tenant      text        NOT NULL,
  stage       text        NOT NULL,
  output      jsonb       NOT NULL,
  artifacts   jsonb       NOT NULL,   -- every artifact that the output names, and that those name
  bytes       bigint      NOT NULL CHECK (bytes >= 0),
  material    jsonb       NOT NULL,   -- what the key is the digest of
  workflow_id text        NOT NULL,
  run_id      text        NOT NULL,
  uses        integer     NOT NULL DEFAULT 0,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  used_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at  timestamptz NOT NULL
);
CREATE INDEX step_entries_expiry ON step_entries (expires_at);
CREATE INDEX step_entries_use ON step_entries (used_at DESC);

CREATE FUNCTION allow_use_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (to_jsonb(NEW) - 'uses' - 'used_at' - 'expires_at') <> (to_jsonb(OLD) - 'uses' - 'used_at' - 'expires_at') THEN
    RAISE EXCEPTION 'a kept result cannot be changed' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER step_entries_fixed BEFORE UPDATE ON step_entries FOR EACH ROW EXECUTE FUNCTION allow_use_only();

GRANT SELECT, INSERT, DELETE, UPDATE (uses, used_at, expires_at) ON step_entries TO saip_worker;
GRANT SELECT, DELETE ON step_entries TO saip_api;

-- step_workers: what the workers that poll would compute with. A result counts where one of them would have made it.

CREATE TABLE step_workers (
  worker      text        PRIMARY KEY,
  pool        text        NOT NULL,
  environment jsonb       NOT NULL,
  code        jsonb       NOT NULL,   -- stage → digest
  seen_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON step_workers TO saip_worker;

-- artifact_holders: artifacts that a system outside of this database names by their URI.

CREATE TABLE artifact_holders (
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  holder text NOT NULL,
  PRIMARY KEY (sha256, holder)
);
GRANT SELECT, INSERT ON artifact_holders TO saip_worker;

-- model_lineage: what a run says about the version that it registered, or found to be the champion already.

CREATE TABLE model_lineage (
  id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model           text        NOT NULL,
  version         integer     NOT NULL,
  workflow_id     text        NOT NULL,
  run_id          text        NOT NULL,
  mlflow_run_id   text        NOT NULL,
  outcome         text        NOT NULL CHECK (outcome IN ('registered', 'unchanged')),
  dataset         text        NOT NULL,
  card_sha256     text        NOT NULL,
  data_sha256     text        NOT NULL,
  prepared_sha256 text        NOT NULL,
  git_commit      text        NOT NULL,
  code_sha256     text,
  weights_sha256  text        NOT NULL,
  onnx_sha256     text        NOT NULL,
  reused          jsonb       NOT NULL,
  at              timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (model, version, workflow_id),
  FOREIGN KEY (model, version) REFERENCES model_versions (model, version)
);
CREATE TRIGGER model_lineage_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON model_lineage
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON model_lineage TO saip_worker;
GRANT SELECT ON model_lineage TO saip_api;

-- artifact_mentions: every digest that a row of the platform names. It runs with the rights of its owner, and shows
-- digests alone: whoever collects artifacts needs to read none of these tables. Entries that expired do not count.

CREATE VIEW artifact_mentions AS
  SELECT DISTINCT found[1] AS sha256 FROM (
    SELECT artifacts::text || output::text AS said FROM step_entries WHERE expires_at > clock_timestamp()
    UNION ALL SELECT digest || ' ' || files::text || ' ' || signature::text FROM model_versions
    UNION ALL SELECT concat_ws(' ', digest, signature_sha256) FROM alias_log
    UNION ALL SELECT ref::text FROM training_checkpoints
    UNION ALL SELECT ref::text FROM attack_batches
    UNION ALL SELECT measured::text FROM attack_results
    UNION ALL SELECT digest || ' ' || manifest_sha256 FROM releases
    UNION ALL SELECT input_sha256 || ' ' || result::text || ' ' || entries::text FROM agent_steps
    UNION ALL SELECT concat_ws(' ', card_sha256, data_sha256, prepared_sha256, weights_sha256, onnx_sha256) FROM model_lineage
    UNION ALL SELECT sha256 FROM artifact_holders
  ) AS rows, regexp_matches(said, '[0-9a-f]{64}', 'g') AS found;
GRANT SELECT ON artifact_mentions TO saip_api, saip_worker;
