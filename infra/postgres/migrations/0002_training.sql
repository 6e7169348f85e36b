-- What survives an attempt of a training. A write counts only with the newest token of its key.

CREATE TABLE training_fences (
  key         text        PRIMARY KEY,
  token       bigint      NOT NULL,
  acquired_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE training_checkpoints (
  key          text        NOT NULL REFERENCES training_fences,
  device_class text        NOT NULL,
  step         bigint      NOT NULL CHECK (step >= 0),
  token        bigint      NOT NULL,
  ref          jsonb       NOT NULL,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (key, device_class, step)
);

CREATE TABLE training_plans (
  key          text        NOT NULL REFERENCES training_fences,
  device_class text        NOT NULL,
  token        bigint      NOT NULL,
  plan         jsonb       NOT NULL,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (key, device_class)
);

GRANT SELECT, INSERT, UPDATE ON training_fences, training_checkpoints, training_plans TO saip_worker;
