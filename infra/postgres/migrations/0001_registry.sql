-- The roles saip_api and saip_worker exist before any migration runs; a missing one must stop it, not lose a grant.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- model_versions: what was registered. Only a withdrawal may be added to a row, once.

CREATE TABLE model_versions (
  model            text        NOT NULL CHECK (length(model) BETWEEN 1 AND 64),
  version          integer     NOT NULL CHECK (version > 0),
  digest           text        NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  files            jsonb       NOT NULL,
  signature        jsonb       NOT NULL,
  mlflow_run_id    text        NOT NULL,
  workflow_id      text        NOT NULL,
  metrics          jsonb       NOT NULL,
  created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  withdrawn_at     timestamptz,
  withdrawn_reason text,
  PRIMARY KEY (model, version),
  UNIQUE (model, workflow_id, digest),
  CHECK ((withdrawn_at IS NULL) = (withdrawn_reason IS NULL))
);

CREATE FUNCTION allow_withdrawal_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.withdrawn_at IS NOT NULL
    OR (to_jsonb(NEW) - 'withdrawn_at' - 'withdrawn_reason') <> (to_jsonb(OLD) - 'withdrawn_at' - 'withdrawn_reason')
  THEN
    RAISE EXCEPTION 'a registered version cannot be changed' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER model_versions_fixed BEFORE UPDATE ON model_versions
  FOR EACH ROW EXECUTE FUNCTION allow_withdrawal_only();
CREATE TRIGGER model_versions_kept BEFORE DELETE OR TRUNCATE ON model_versions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT ON model_versions TO saip_api, saip_worker;
GRANT INSERT, UPDATE (withdrawn_at, withdrawn_reason) ON model_versions TO saip_worker;

-- ---------------------------------------------------------------------------------------------------------------------
-- alias_log: which version an alias meant, when, and who wanted it. The newest row of (model, alias) is in force.

CREATE TABLE alias_log (
  id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model            text        NOT NULL,
  alias            text        NOT NULL CHECK (length(alias) BETWEEN 1 AND 64),
  version          integer,                 -- NULL: the alias was taken away
  digest           text,
  signature_sha256 text,
  workflow_id      text        NOT NULL,
  actor            text        NOT NULL,
  reason           text        NOT NULL,
  operation_id     text        NOT NULL UNIQUE,
  at               timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (model, version) REFERENCES model_versions (model, version),
  CHECK ((version IS NULL) = (digest IS NULL) AND (version IS NULL) = (signature_sha256 IS NULL))
);
CREATE INDEX alias_log_newest ON alias_log (model, alias, id DESC);

CREATE TRIGGER alias_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON alias_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION notify_alias() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('saip_alias', json_build_object('id', NEW.id, 'model', NEW.model, 'alias', NEW.alias)::text);
  RETURN NULL;
END
$$;
CREATE TRIGGER alias_log_notify AFTER INSERT ON alias_log
  FOR EACH ROW EXECUTE FUNCTION notify_alias();

CREATE VIEW current_aliases WITH (security_invoker = true) AS
  SELECT * FROM (SELECT DISTINCT ON (model, alias) * FROM alias_log ORDER BY model, alias, id DESC) newest
  WHERE version IS NOT NULL;

GRANT SELECT ON alias_log, current_aliases TO saip_api, saip_worker;
GRANT INSERT ON alias_log TO saip_worker;

-- ---------------------------------------------------------------------------------------------------------------------
-- Which API processes live, and what each of them serves.

CREATE TABLE serving_replicas (
  replica text        PRIMARY KEY,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE serving_status (
  replica text        NOT NULL REFERENCES serving_replicas ON DELETE CASCADE,
  model   text        NOT NULL,
  alias   text        NOT NULL,
  state   text        NOT NULL CHECK (state IN ('ready', 'loading', 'refused')),
  version integer,
  digest  text,
  code    text,
  reason  text,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (replica, model, alias)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON serving_replicas, serving_status TO saip_api;
GRANT SELECT ON serving_replicas, serving_status TO saip_worker;
