-- OAuth clients: the owner writes them, the API reads them. Secrets have at least 128 random bits, so a plain SHA-256
-- of them cannot be searched.

CREATE TABLE oauth_clients (
  client_id     text        PRIMARY KEY,
  secret_sha256 text        NOT NULL CHECK (secret_sha256 ~ '^[0-9a-f]{64}$'),
  subject       text        NOT NULL,
  roles         text[]      NOT NULL,
  tenant        text        NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT ON oauth_clients TO saip_api;

-- audit_log: who wanted what, and what was decided.

CREATE TABLE audit_log (
  id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor    text        NOT NULL,
  action   text        NOT NULL,
  subject  text        NOT NULL,
  decision text        NOT NULL,
  trace_id text,
  detail   jsonb       NOT NULL
);
CREATE INDEX audit_log_actor ON audit_log (actor, id DESC);
CREATE INDEX audit_log_subject ON audit_log (subject, id DESC);

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON audit_log TO saip_api;
GRANT INSERT ON audit_log TO saip_worker;
