-- What an append to the audit log costs: fewer entries in indexes, and one row in the queue for each statement instead of
-- one for each record. Nothing of what is kept changes.

-- Records of inferences are no operation of a workflow: they need no place in its index.
ALTER TABLE audit_log DROP CONSTRAINT audit_log_operation_id_key;
CREATE UNIQUE INDEX audit_log_operation_id ON audit_log (operation_id) WHERE operation_id IS NOT NULL;

-- audit_pending: the records of each statement that are not in the tree yet. A statement's records become visible
-- together, and those of one that commits late wait in a row of their own, so that the queue misses none.
ALTER TABLE audit_pending RENAME TO audit_pending_single;
CREATE TABLE audit_pending (
  batch bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ids   bigint[] NOT NULL CHECK (cardinality(ids) > 0)
);
-- It is read once, a moment later.
ALTER TABLE audit_pending ALTER COLUMN ids SET STORAGE EXTERNAL;
INSERT INTO audit_pending (ids)
  SELECT array_agg(id ORDER BY id)
  FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / 4096 AS part FROM audit_pending_single) waiting
  GROUP BY part ORDER BY part;
DROP TABLE audit_pending_single;

CREATE OR REPLACE FUNCTION queue_for_tree() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, public
AS $$
BEGIN
  INSERT INTO audit_pending (ids) SELECT array_agg(id) FROM added HAVING count(*) > 0;
  RETURN NULL;
END
$$;

GRANT SELECT ON audit_pending TO saip_api;
GRANT SELECT, DELETE ON audit_pending TO saip_sequencer;
