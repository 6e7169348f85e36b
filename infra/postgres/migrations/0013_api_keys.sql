-- api_keys: who may call with a key, for what, until when. Of the key itself only a keyed hash is here; the key of the
-- hash never leaves OpenBao, so that a copy of this table is of no use.

CREATE TABLE api_keys (
  id           text        PRIMARY KEY CHECK (id ~ '^[a-z2-7]{12}$'),
  name         text        NOT NULL,
  owner        text        NOT NULL,
  tenant       text        NOT NULL,
  roles        text[]      NOT NULL,
  actions      text[]      NOT NULL,
  models       text[],
  hash         text        NOT NULL,
  former_hash  text,
  former_until timestamptz,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at   timestamptz NOT NULL,
  rotated_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
CREATE INDEX api_keys_owner ON api_keys (tenant, owner, created_at DESC);

-- What a key is good for does not change, and a revoked key stays: neither update nor delete of those is granted.
GRANT SELECT, INSERT ON api_keys TO saip_api;
GRANT UPDATE (hash, former_hash, former_until, rotated_at, last_used_at, revoked_at) ON api_keys TO saip_api;

-- revoked_tokens: access tokens that ended before their time, until that time.

CREATE TABLE revoked_tokens (
  jti        text        PRIMARY KEY,
  subject    text        NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at);

GRANT SELECT, INSERT, DELETE ON revoked_tokens TO saip_api;
