-- usage_limits: how much a caller may ask of a model. The most specific row counts: key, then subject, role, everybody;
-- within these a row for the model before one for all (''). An absent number is that of the configuration.

CREATE TABLE usage_limits (
  tenant      text        NOT NULL,
  kind        text        NOT NULL CHECK (kind IN ('key', 'subject', 'role', 'everybody')),
  name        text        NOT NULL CHECK ((kind = 'everybody') = (name = '')),
  model       text        NOT NULL,
  rate        float8      CHECK (rate >= 0),
  burst       integer     CHECK (burst > 0),
  daily_rows  bigint      CHECK (daily_rows >= 0),
  budget_rows bigint      CHECK (budget_rows >= 0),
  set_by      text        NOT NULL,
  set_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, kind, name, model)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_limits TO saip_api;

-- inference_usage: what was asked, by day (UTC). API processes add to it in the background.

CREATE TABLE inference_usage (
  tenant   text   NOT NULL,
  subject  text   NOT NULL,
  api_key  text   NOT NULL,
  model    text   NOT NULL,
  day      date   NOT NULL,
  requests bigint NOT NULL DEFAULT 0,
  rows     bigint NOT NULL DEFAULT 0,
  refused  bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, subject, api_key, model, day)
);
CREATE INDEX inference_usage_day ON inference_usage (day);
GRANT SELECT, INSERT, UPDATE ON inference_usage TO saip_api;

-- misuse_flags: callers whose queries look like those of an attack on a model. One is open for each reason; a person
-- lifts it. What was seen does not change.

CREATE TABLE misuse_flags (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant      text        NOT NULL,
  subject     text        NOT NULL,
  model       text        NOT NULL,
  kind        text        NOT NULL CHECK (kind IN ('distance-distribution', 'out-of-distribution', 'query-budget')),
  evidence    jsonb       NOT NULL,
  flagged_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  lifted_at   timestamptz,
  lifted_by   text,
  lift_reason text,
  CHECK ((lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lift_reason IS NULL))
);
CREATE UNIQUE INDEX misuse_flags_open ON misuse_flags (tenant, subject, model, kind) WHERE lifted_at IS NULL;
GRANT SELECT, INSERT ON misuse_flags TO saip_api;
GRANT UPDATE (lifted_at, lifted_by, lift_reason) ON misuse_flags TO saip_api;

-- model_protections: what a model tells whom, and what happens to callers who are flagged. The row of a role ('' stands
-- for every role) replaces single settings of the row for all.

CREATE TABLE model_protections (
  model    text        NOT NULL,
  role     text        NOT NULL,
  settings jsonb       NOT NULL,
  set_by   text        NOT NULL,
  set_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (model, role)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON model_protections TO saip_api;
