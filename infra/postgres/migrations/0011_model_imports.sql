-- model_uploads: ONNX files that a tenant sent. Only these can be imported: knowing the digest of what somebody else
-- stored opens nothing.

CREATE TABLE model_uploads (
  tenant      text        NOT NULL,
  sha256      text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  bytes       bigint      NOT NULL CHECK (bytes >= 0),
  uploaded_by text        NOT NULL,
  uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, sha256)
);

GRANT SELECT, INSERT ON model_uploads TO saip_api;
