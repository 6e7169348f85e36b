-- Finished batches of a measurement, so that an attempt that died repeats at most one. Deterministic in their key.

CREATE TABLE attack_batches (
  key          text        NOT NULL,
  device_class text        NOT NULL,
  batch        integer     NOT NULL CHECK (batch >= 0),
  ref          jsonb       NOT NULL,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (key, device_class, batch)
);

GRANT SELECT, INSERT, UPDATE ON attack_batches TO saip_worker;

-- attack_results: what was measured of which version, once a workflow, version and configuration. The oldest result of
-- a model digest and a configuration is the baseline of later ones.

CREATE TABLE attack_results (
  id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model         text        NOT NULL,
  version       integer     NOT NULL,
  digest        text        NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  config_sha256 text        NOT NULL CHECK (config_sha256 ~ '^[0-9a-f]{64}$'),
  measurement   jsonb       NOT NULL,
  measured      jsonb       NOT NULL,
  workflow_id   text        NOT NULL,
  run_id        text        NOT NULL,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (model, version) REFERENCES model_versions (model, version),
  UNIQUE (workflow_id, run_id, model, version, config_sha256)
);
CREATE INDEX attack_results_baseline ON attack_results (model, config_sha256, digest, id);

CREATE TRIGGER attack_results_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON attack_results
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON attack_results TO saip_worker;
GRANT SELECT ON attack_results TO saip_api;
