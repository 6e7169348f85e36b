-- serving_switches: which models administrators took out of service, and brought back. The newest row of a model is in
-- force; a model without one is in service. What its aliases mean is in alias_log, and does not change with it.

CREATE TABLE serving_switches (
  id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model text        NOT NULL CHECK (length(model) BETWEEN 1 AND 64),
  load  boolean     NOT NULL,
  actor text        NOT NULL,
  at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX serving_switches_newest ON serving_switches (model, id DESC);

CREATE TRIGGER serving_switches_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON serving_switches
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Every process that serves listens to this channel, and looks at all models when it hears of it.
CREATE FUNCTION notify_switch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('saip_alias', json_build_object('model', NEW.model, 'load', NEW.load)::text);
  RETURN NULL;
END
$$;
CREATE TRIGGER serving_switches_notify AFTER INSERT ON serving_switches
  FOR EACH ROW EXECUTE FUNCTION notify_switch();

GRANT SELECT, INSERT ON serving_switches TO saip_api;
