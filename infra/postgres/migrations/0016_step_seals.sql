-- step_entries.mac: an HMAC over everything that an entry says, under a key that stays in OpenBao. Whoever can write rows
-- can therefore not make a stage believe in a result. What was kept before vouches for nothing, and expires.

UPDATE step_entries SET expires_at = clock_timestamp();
ALTER TABLE step_entries ADD COLUMN mac text;

-- dataset_uploads: one that never became a data set is removed a day after it was last of use.

GRANT UPDATE (uploaded_at) ON dataset_uploads TO saip_api;
GRANT DELETE ON dataset_uploads TO saip_api;
GRANT SELECT, DELETE ON dataset_uploads TO saip_worker;

-- artifact_mentions: now with data sets, and with what was sent and may still be used.

CREATE OR REPLACE VIEW artifact_mentions AS
  SELECT DISTINCT found[1] AS sha256 FROM (
    SELECT artifacts::text || output::text AS said FROM step_entries WHERE expires_at > clock_timestamp()
    UNION ALL SELECT digest || ' ' || files::text || ' ' || signature::text FROM model_versions
    UNION ALL SELECT concat_ws(' ', digest, signature_sha256) FROM alias_log
    UNION ALL SELECT ref::text FROM training_checkpoints
    UNION ALL SELECT ref::text FROM attack_batches
    UNION ALL SELECT measured::text FROM attack_results
    UNION ALL SELECT digest || ' ' || manifest_sha256 FROM releases
    UNION ALL SELECT input_sha256 || ' ' || result::text || ' ' || entries::text FROM agent_steps
    UNION ALL SELECT concat_ws(' ', card_sha256, data_sha256, prepared_sha256, weights_sha256, onnx_sha256) FROM model_lineage
    UNION ALL SELECT sha256 FROM artifact_holders
    UNION ALL SELECT card::text || file::text || profile::text FROM datasets
    UNION ALL SELECT sha256 FROM dataset_uploads
    UNION ALL SELECT sha256 FROM model_uploads
  ) AS rows, regexp_matches(said, '[0-9a-f]{64}', 'g') AS found;
