-- dataset_uploads: files that a tenant sent. Only from these can a data set be made: knowing the digest of what somebody
-- else stored opens nothing.

CREATE TABLE dataset_uploads (
  tenant      text        NOT NULL,
  sha256      text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  bytes       bigint      NOT NULL CHECK (bytes >= 0),
  uploaded_by text        NOT NULL,
  uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, sha256)
);

GRANT SELECT, INSERT ON dataset_uploads TO saip_api;

-- datasets: versions of the data sets that people added. The built-in ones are part of the platform and not here. A
-- version is kept for the models that were made of it; only a withdrawal may be added to it, once.

CREATE TABLE datasets (
  id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant           text        NOT NULL,
  name             text        NOT NULL,
  version          integer     NOT NULL CHECK (version >= 1),
  -- Of the file, its schema and what was said of it: the same again is the same version.
  content_sha256   text        NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
  card             jsonb       NOT NULL,
  file             jsonb       NOT NULL,
  profile          jsonb       NOT NULL,
  added_by         text        NOT NULL,
  added_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  withdrawn_at     timestamptz,
  withdrawn_reason text,
  UNIQUE (tenant, name, version),
  CHECK ((withdrawn_at IS NULL) = (withdrawn_reason IS NULL))
);
CREATE UNIQUE INDEX datasets_in_force ON datasets (tenant, name, content_sha256) WHERE withdrawn_at IS NULL;

CREATE TRIGGER datasets_fixed BEFORE UPDATE ON datasets
  FOR EACH ROW EXECUTE FUNCTION allow_withdrawal_only();
CREATE TRIGGER datasets_kept BEFORE DELETE OR TRUNCATE ON datasets
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_reason) ON datasets TO saip_api;
GRANT SELECT ON datasets TO saip_worker;
