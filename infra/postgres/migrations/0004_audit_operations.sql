-- A workflow's entry is written once, however often its activity is tried.

ALTER TABLE audit_log ADD COLUMN operation_id text UNIQUE;
