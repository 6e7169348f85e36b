-- The audit log as a Merkle log: which record is which leaf, the tiles of the tree, and the heads that were signed.
-- Personal data of a record can be erased, everything else of it stays as it is.

ALTER TABLE audit_log
  -- Names the record for good; what is sent twice is written once.
  ADD COLUMN record_id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Hides the personal part in the commitment to it, 244 random bits; erased together with it.
  ADD COLUMN salt bytea DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
  ADD COLUMN erased_at timestamptz,
  -- The record that says why the personal part is gone.
  ADD COLUMN erased_by uuid,
  ALTER COLUMN actor DROP NOT NULL,
  ALTER COLUMN subject DROP NOT NULL,
  ALTER COLUMN detail DROP NOT NULL;
ALTER TABLE audit_log
  ADD CONSTRAINT audit_log_record_id UNIQUE (record_id),
  ADD CONSTRAINT audit_log_personal CHECK (
    (erased_by IS NULL) = (erased_at IS NULL)
    AND (erased_by IS NULL) = (actor IS NOT NULL AND detail IS NOT NULL AND salt IS NOT NULL)
    AND (erased_by IS NOT NULL OR subject IS NOT NULL)
  );
-- Rows lie in the order of time: a few bytes a block are enough to find old ones.
CREATE INDEX audit_log_at ON audit_log USING brin (at);

CREATE FUNCTION allow_erasure_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  personal text[] := ARRAY['actor', 'subject', 'trace_id', 'detail', 'salt', 'erased_at', 'erased_by'];
BEGIN
  IF OLD.erased_by IS NOT NULL OR NEW.erased_by IS NULL
    OR NEW.actor IS NOT NULL OR NEW.trace_id IS NOT NULL OR NEW.detail IS NOT NULL OR NEW.salt IS NOT NULL
    OR (NEW.subject IS NOT NULL AND NEW.subject IS DISTINCT FROM OLD.subject)
    OR (to_jsonb(NEW) - personal) <> (to_jsonb(OLD) - personal)
  THEN
    RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;

DROP TRIGGER audit_log_append_only ON audit_log;
CREATE TRIGGER audit_log_kept BEFORE DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_fixed BEFORE UPDATE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION allow_erasure_only();

-- ---------------------------------------------------------------------------------------------------------------------
-- audit_pending: records that are not in the tree yet. Ids are given out before transactions commit, so a record may
-- become visible after one with a higher id; a queue of its own misses none.

CREATE TABLE audit_pending (
  id bigint PRIMARY KEY
);

CREATE FUNCTION queue_for_tree() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
AS $$
BEGIN
  INSERT INTO audit_pending (id) SELECT id FROM added;
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_log_queue AFTER INSERT ON audit_log REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION queue_for_tree();

-- What was written before there was a tree enters it in its own order.
INSERT INTO audit_pending (id) SELECT id FROM audit_log;

-- ---------------------------------------------------------------------------------------------------------------------
-- The tree.

CREATE TABLE audit_leaves (
  leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
  record     bigint NOT NULL UNIQUE,
  -- SHA-256 over salt and personal part; what is left of them after an erasure.
  commitment bytea  NOT NULL CHECK (length(commitment) = 32)
);
CREATE TRIGGER audit_leaves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaves
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- C2SP tlog-tiles: up to 256 hashes one after the other.
CREATE TABLE audit_tiles (
  level  smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
  tile   bigint   NOT NULL CHECK (tile >= 0),
  hashes bytea    NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
  PRIMARY KEY (level, tile)
);
ALTER TABLE audit_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE FUNCTION allow_growth_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.level <> OLD.level OR NEW.tile <> OLD.tile
    OR substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) <> OLD.hashes
  THEN
    RAISE EXCEPTION 'audit_tiles is append-only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER audit_tiles_fixed BEFORE UPDATE ON audit_tiles
  FOR EACH ROW EXECUTE FUNCTION allow_growth_only();
CREATE TRIGGER audit_tiles_kept BEFORE DELETE OR TRUNCATE ON audit_tiles
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Every head that was signed, as a C2SP checkpoint.
CREATE TABLE audit_checkpoints (
  size bigint      PRIMARY KEY CHECK (size > 0),
  note text        NOT NULL,
  at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER audit_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT ON audit_leaves, audit_tiles, audit_checkpoints, audit_pending TO saip_api;
GRANT UPDATE (actor, subject, trace_id, detail, salt, erased_at, erased_by) ON audit_log TO saip_api;

-- The sequencer alone makes the tree; it adds no record but that of a retention.
GRANT SELECT, INSERT, UPDATE (actor, subject, trace_id, detail, salt, erased_at, erased_by) ON audit_log
  TO saip_sequencer;
GRANT SELECT, DELETE ON audit_pending TO saip_sequencer;
GRANT SELECT, INSERT ON audit_leaves, audit_checkpoints TO saip_sequencer;
GRANT SELECT, INSERT, UPDATE (hashes) ON audit_tiles TO saip_sequencer;
