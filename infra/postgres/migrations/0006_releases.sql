-- releases: what was published. The row is the commit: a folder without one is not a release. Only a withdrawal may be
-- added to a row, once; a version has at most one release that was not withdrawn.

CREATE TABLE releases (
  id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model            text        NOT NULL,
  version          integer     NOT NULL,
  digest           text        NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  manifest_sha256  text        NOT NULL CHECK (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  workflow_id      text        NOT NULL,
  run_id           text        NOT NULL,
  requested_by     text        NOT NULL,
  approved_by      text,
  published_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  withdrawn_at     timestamptz,
  withdrawn_reason text,
  FOREIGN KEY (model, version) REFERENCES model_versions (model, version),
  CHECK ((withdrawn_at IS NULL) = (withdrawn_reason IS NULL))
);
CREATE UNIQUE INDEX releases_in_force ON releases (model, version) WHERE withdrawn_at IS NULL;

CREATE TRIGGER releases_fixed BEFORE UPDATE ON releases
  FOR EACH ROW EXECUTE FUNCTION allow_withdrawal_only();
CREATE TRIGGER releases_kept BEFORE DELETE OR TRUNCATE ON releases
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT ON releases TO saip_api, saip_worker;
GRANT INSERT, UPDATE (withdrawn_at, withdrawn_reason) ON releases TO saip_worker;
