-- Agents. The roles saip_agents (the worker) and saip_agent_reader (what a borrowed login is a member of) exist before
-- any migration runs.

-- ---------------------------------------------------------------------------------------------------------------------
-- What an agent may read: views in a schema of their own. They run with the rights of their owner, so that a reader
-- needs, and has, no right on any table.

CREATE SCHEMA agent;

CREATE VIEW agent.model_versions WITH (security_barrier = true) AS
  SELECT model, version, digest, mlflow_run_id, metrics, created_at, withdrawn_at, withdrawn_reason
  FROM public.model_versions;

CREATE VIEW agent.aliases WITH (security_barrier = true) AS
  SELECT model, alias, version, digest, actor, reason, at
  FROM (SELECT DISTINCT ON (model, alias) * FROM public.alias_log ORDER BY model, alias, id DESC) newest
  WHERE version IS NOT NULL;

-- Champions in the order in which they were made; a rollback goes back to an earlier one.
CREATE VIEW agent.champions WITH (security_barrier = true) AS
  SELECT id, model, version, at FROM public.alias_log WHERE alias = 'champion' AND version IS NOT NULL;

GRANT USAGE ON SCHEMA agent TO saip_agent_reader;
GRANT SELECT ON agent.model_versions, agent.aliases, agent.champions TO saip_agent_reader;

-- ---------------------------------------------------------------------------------------------------------------------
-- agent_steps: what a step of a task came to. The first result of a step is its only one, however often it is tried.

CREATE TABLE agent_steps (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task         text        NOT NULL,
  step         text        NOT NULL CHECK (length(step) BETWEEN 1 AND 64),
  input_sha256 text        NOT NULL CHECK (input_sha256 ~ '^[0-9a-f]{64}$'),
  result       jsonb       NOT NULL,
  entries      jsonb       NOT NULL,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (task, step)
);

CREATE TRIGGER agent_steps_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agent_steps
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- agent_logins: the accessors of the OpenBao tokens under which a task borrows. An accessor can revoke its token, and
-- with it every login borrowed under it; it can do nothing else. It is written before anything is borrowed, so that no
-- crash leaves a login that nobody can revoke.

CREATE TABLE agent_logins (
  accessor   text        PRIMARY KEY,
  task       text        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz
);
CREATE INDEX agent_logins_task ON agent_logins (task);

GRANT SELECT, INSERT ON agent_steps TO saip_agents;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON agent_logins TO saip_agents;
GRANT INSERT ON audit_log TO saip_agents;
