import { VersionLineage } from '../../../contracts/step-cache.ts';
import type { LineageQuery, NewLineage } from '../../../contracts/step-cache.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select, selectOne } from './query.ts';
import { parseVersion } from './version.ts';

/** Most versions in one answer. */
const MOST = 100;

const RUNS = `SELECT coalesce(json_agg(json_strip_nulls(json_build_object('workflowId', l.workflow_id, 'runId', l.run_id,
    'mlflowRunId', l.mlflow_run_id, 'outcome', l.outcome, 'dataset', l.dataset, 'cardSha256', l.card_sha256,
    'dataSha256', l.data_sha256, 'preparedSha256', l.prepared_sha256, 'gitCommit', l.git_commit,
    'codeSha256', l.code_sha256, 'weightsSha256', l.weights_sha256, 'onnxSha256', l.onnx_sha256,
    'reused', l.reused, 'at', ${iso('l.at')})) ORDER BY l.id), '[]')
  FROM model_lineage l WHERE (l.model, l.version) = (v.model, v.version)`;

const ATTACKS = `SELECT coalesce(json_agg(json_build_object('workflowId', a.workflow_id, 'runId', a.run_id,
    'configSha256', a.config_sha256, 'at', ${iso('a.at')}) ORDER BY a.id), '[]')
  FROM attack_results a WHERE (a.model, a.version) = (v.model, v.version)`;

const RELEASES = `SELECT coalesce(json_agg(json_build_object('workflowId', r.workflow_id, 'runId', r.run_id,
    'manifestSha256', r.manifest_sha256, 'publishedAt', ${iso('r.published_at')},
    'withdrawn', r.withdrawn_at IS NOT NULL) ORDER BY r.id), '[]')
  FROM releases r WHERE (r.model, r.version) = (v.model, v.version)`;

const VERSION = `SELECT v.model, v.version::text, v.digest, v.signature ->> 'sha256' AS "signatureSha256",
  v.workflow_id AS "workflowId", v.mlflow_run_id AS "mlflowRunId", ${iso('v.created_at')} AS "createdAt",
  CASE WHEN v.withdrawn_at IS NOT NULL
    THEN json_build_object('at', ${iso('v.withdrawn_at')}, 'reason', v.withdrawn_reason) END AS withdrawn,
  (SELECT coalesce(json_agg(c.alias ORDER BY c.alias), '[]') FROM current_aliases c
    WHERE (c.model, c.version) = (v.model, v.version)) AS aliases,
  (${RUNS}) AS runs, (${ATTACKS}) AS attacks, (${RELEASES}) AS releases FROM model_versions v`;

/** A row of the version's lineage for which `condition` holds. */
const said = (condition: string): string =>
  `EXISTS (SELECT FROM model_lineage l WHERE (l.model, l.version) = (v.model, v.version) AND (${condition}))`;

/** `$1` is the term, `$2` the same as a pattern of what begins with it. */
const WHERE: Readonly<Record<keyof LineageQuery, string>> = {
  data: said(`l.data_sha256 LIKE $2 OR l.card_sha256 LIKE $2 OR l.prepared_sha256 LIKE $2 OR l.dataset = $1`),
  code: said(`l.git_commit LIKE $2 OR l.code_sha256 LIKE $2`),
  run: `v.workflow_id = $1 OR v.mlflow_run_id = $1 OR ${said(
    `$1 IN (l.workflow_id, l.run_id, l.mlflow_run_id)
     OR EXISTS (SELECT FROM jsonb_each(l.reused) AS step WHERE $1 IN (step.value ->> 'workflowId', step.value ->> 'runId'))`,
  )}`,
  release: `EXISTS (SELECT FROM releases r WHERE (r.model, r.version) = (v.model, v.version)
     AND (r.manifest_sha256 LIKE $2 OR $1 IN (r.workflow_id, r.run_id)))`,
  digest: `v.digest LIKE $2 OR v.signature ->> 'sha256' LIKE $2
     OR EXISTS (SELECT FROM jsonb_each(v.files) AS file WHERE file.value ->> 'sha256' LIKE $2)
     OR ${said(`l.weights_sha256 LIKE $2 OR l.onnx_sha256 LIKE $2`)}`,
};

/** What versions came from, and what came from it. Every method throws DatabaseError when the database fails. */
export class LineageLog {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Keeps what a run says about a version; the first word of a workflow stays. */
  async append(version: { readonly model: string; readonly version: string }, lineage: NewLineage): Promise<void> {
    await execute(
      this.#pool,
      `INSERT INTO model_lineage (model, version, workflow_id, run_id, mlflow_run_id, outcome, dataset, card_sha256,
         data_sha256, prepared_sha256, git_commit, code_sha256, weights_sha256, onnx_sha256, reused)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
       ON CONFLICT (model, version, workflow_id) DO NOTHING`,
      [
        ...[version.model, parseVersion(version.model, version.version), lineage.workflowId, lineage.runId],
        ...[lineage.mlflowRunId, lineage.outcome, lineage.dataset, lineage.cardSha256, lineage.dataSha256],
        ...[lineage.preparedSha256, lineage.gitCommit, lineage.codeSha256 ?? null, lineage.weightsSha256],
        ...[lineage.onnxSha256, JSON.stringify(lineage.reused)],
      ],
    );
  }

  /** Undefined when there is no such version. @throws DatabaseError MODEL_VERSION_UNKNOWN for what no version can be */
  of(model: string, version: string): Promise<VersionLineage | undefined> {
    const values = [model, parseVersion(model, version)];
    return selectOne(this.#pool, VersionLineage, `${VERSION} WHERE v.model = $1 AND v.version = $2`, values);
  }

  /** Versions that came from what the query names, newest first. */
  search(query: LineageQuery): Promise<VersionLineage[]> {
    const [name, term] = Object.entries(query).find(([, value]) => value !== undefined) ?? [];
    if (name === undefined || term === undefined) return Promise.resolve([]);
    const sql = `WITH term AS (SELECT $1::text AS said, $2::text AS pattern) ${VERSION}
      WHERE ${WHERE[name as keyof LineageQuery]} ORDER BY v.created_at DESC LIMIT ${MOST}`;
    return select(this.#pool, VersionLineage, sql, [term, beginsWith(term)]);
  }
}

/** A pattern of LIKE; only what could be a digest, or a commit, is taken for the beginning of one. */
function beginsWith(term: string): string {
  return /^[0-9a-f]{7,64}$/.test(term) ? `${term}%` : term.replaceAll(/[\\%_]/g, '\\$&');
}
