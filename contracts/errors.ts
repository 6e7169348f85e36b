/** The one table: what an error code means over HTTP, to Temporal's retries, and to the user. */
export interface ErrorSpec {
  readonly status: number;
  readonly retryable: boolean;
  readonly hint: string;
}

const permanent = (status: number, hint: string): ErrorSpec => ({ status, retryable: false, hint });
const transient = (status: number, hint: string): ErrorSpec => ({ status, retryable: true, hint });

export const ERRORS = {
  // requests
  REQUEST_INVALID: permanent(400, 'Correct the named field; the schema is at /docs.'),
  REQUEST_TOO_LARGE: permanent(413, 'Send a smaller body.'),
  REQUEST_HEADERS_TOO_LARGE: permanent(431, 'Send fewer or shorter headers: 16 KiB together.'),
  REQUEST_TIMEOUT: transient(408, 'Send the whole request sooner.'),
  UNSUPPORTED_MEDIA_TYPE: permanent(415, 'Send application/json.'),
  NOT_FOUND: permanent(404, 'Check the name; the list endpoints show what exists.'),
  METHOD_NOT_ALLOWED: permanent(405, 'See /docs for the methods of this path.'),
  CONFLICT: permanent(409, 'Read the current state, then try again.'),
  IDEMPOTENCY_MISMATCH: permanent(422, 'This Idempotency-Key was used with another body; choose a new key.'),
  RATE_LIMITED: transient(429, 'Wait as long as Retry-After says.'),
  INTERNAL: permanent(500, 'Look up the trace id in the logs (saip logs api).'),
  UNAVAILABLE: transient(503, 'A server the platform needs does not answer; run saip status.'),
  // identity and policy
  UNAUTHENTICATED: permanent(401, 'Send a valid bearer token: saip token.'),
  TOKEN_INVALID: permanent(401, 'Get a new token: saip token.'),
  API_KEY_INVALID: permanent(401, 'Check the key, or make a new one: saip keys create.'),
  API_KEY_UNKNOWN: permanent(404, 'saip keys list shows what exists.'),
  API_KEY_ENDED: permanent(409, 'Make a new key: saip keys create.'),
  CLIENT_CREDENTIALS_INVALID: permanent(401, 'Check client_id and client_secret.'),
  FORBIDDEN: permanent(403, 'Ask an administrator for a role that allows this.'),
  APPROVAL_INVALID: permanent(403, 'Approve through the API or CLI with a token that may.'),
  APPROVAL_SAME_PERSON: permanent(403, 'Another person than the requester must approve.'),
  APPROVAL_NOT_WAITING: permanent(409, 'The workflow is not waiting for approval; look at its progress.'),
  APPROVAL_SUBJECT_MISMATCH: permanent(409, 'The subject changed since it was shown; look again, then decide.'),
  POLICY_UNAVAILABLE: permanent(503, 'The policy bundle cannot be evaluated; nothing is allowed until it can.'),
  // configuration
  CONFIG_INVALID: permanent(500, 'Correct every named setting: docs/configuration.md.'),
  SECRET_UNAVAILABLE: transient(503, 'OpenBao does not answer or is sealed: saip doctor.'),
  SECRET_LOGIN_INVALID: permanent(500, 'The login file is missing, malformed or refused; make up writes it again.'),
  SECRET_FORBIDDEN: permanent(500, 'The login of this process may not do that; see the OpenBao policies.'),
  SECRET_REJECTED: permanent(502, 'OpenBao refused the request; see the message.'),
  DATABASE_UNAVAILABLE: transient(503, 'PostgreSQL does not answer: saip status.'),
  DATABASE_CONFLICT: transient(409, 'A concurrent change won; try again.'),
  DATABASE_REJECTED: permanent(500, 'PostgreSQL refused the statement; the message says why.'),
  // artifacts
  ARTIFACT_NOT_FOUND: permanent(404, 'The artifact was deleted or never written; run the stage again.'),
  ARTIFACT_DIGEST_MISMATCH: permanent(409, 'The stored bytes changed; do not use them, run the stage again.'),
  ARTIFACT_WRITE_FAILED: transient(507, 'Check free disk space and permissions: saip doctor.'),
  // data sets
  DATASET_UNKNOWN: permanent(404, 'saip dataset list shows what exists.'),
  DATASET_CARD_INVALID: permanent(422, 'Complete the named field of the Croissant card.'),
  DATASET_FILE_MISSING: permanent(422, 'Install the data again: make setup.'),
  DATASET_DIGEST_MISMATCH: permanent(
    422,
    'The file changed since its card was written; restore it or write a new card.',
  ),
  DATASET_CELL_INVALID: permanent(422, 'Correct the named cell, or say in the data card what its column holds.'),
  DATASET_SPLIT_INVALID: permanent(422, 'Choose shares that leave samples in every split.'),
  DATASET_TABLE_INVALID: permanent(422, 'Mend the named lines and columns, or leave columns out: --drop COLUMN.'),
  DATASET_NAME_TAKEN: permanent(409, 'Choose another name: saip dataset list.'),
  DATASET_UPLOAD_UNKNOWN: permanent(
    404,
    'Send the file first: POST /v1/datasets/uploads, or /v1/score-files to have it scored.',
  ),
  // models and training
  MODEL_CONFIG_INVALID: permanent(422, 'Correct the named layer.'),
  WEIGHTS_INVALID: permanent(422, 'Not a whole safetensors file of float32 tensors; restore it or train again.'),
  PRESET_UNKNOWN: permanent(404, 'saip models presets shows what exists.'),
  NATIVE_ADDON_MISSING: permanent(500, 'Build it: make setup. There is no slow path.'),
  GPU_NOT_VISIBLE: permanent(500, 'nvidia-smi answers but TensorFlow sees no GPU: saip doctor.'),
  DEVICE_OUT_OF_MEMORY: transient(500, 'The next attempt halves the micro-batch.'),
  TRAINING_DIVERGED: permanent(422, 'The loss is not finite; lower the learning rate.'),
  TRAINING_FENCED: permanent(409, 'A newer attempt owns this training; this one stops.'),
  CHECKPOINT_INCOMPATIBLE: permanent(409, 'Resume on the same device class and replica count, or start again.'),
  DISK_FULL: transient(507, 'Free space where the temporary folder is, or set TMPDIR to a larger disk: saip doctor.'),
  CHILD_CRASHED: transient(500, 'The child process died; its last lines are in the worker log.'),
  WORKER_LOST: transient(500, 'The worker was killed; the attempt is repeated by itself.'),
  CHILD_SILENT: transient(500, 'The child process reported nothing for too long and was killed.'),
  EVALUATION_INPUT_INVALID: permanent(422, 'The predictions do not belong to this test set; run the stage again.'),
  EXPORT_UNSUPPORTED: permanent(422, 'Only allow-listed layers can be exported.'),
  EXPORT_PARITY: permanent(422, 'The ONNX graph differs from the trained model; do not serve it.'),
  // searches
  SEARCH_SPACE_INVALID: permanent(422, 'Correct the named range: docs/hyperparameter-search.md.'),
  SEARCH_FAILED: permanent(422, 'No configuration could be trained; the reasons say why. Narrow the space.'),
  // step cache
  STEP_CODE_UNREADABLE: permanent(500, 'A file of the platform is missing or broken; check out the code again.'),
  // models from elsewhere
  MODEL_GRAPH_MALFORMED: permanent(422, 'The file is no whole ONNX model; export it again.'),
  MODEL_GRAPH_TOO_LARGE: permanent(422, 'docs/import.md lists the limits; saip models scan FILE measures a file.'),
  MODEL_GRAPH_REFUSED: permanent(422, 'docs/import.md lists what a graph may hold; saip models scan FILE tells more.'),
  MODEL_CARD_INVALID: permanent(422, 'Correct the named field of the card: docs/import.md.'),
  MODEL_DISAGREES: permanent(422, 'The graph does not do what its card says; compare scaling, layout and labels.'),
  MODEL_UPLOAD_UNKNOWN: permanent(404, 'Send the file first: POST /v1/models/imports.'),
  // attacks
  ATTACK_UNSUPPORTED: permanent(422, 'Only networks on samples with a value range, such as images, can be attacked.'),
  ATTACK_INPUT_INVALID: permanent(422, 'The results do not belong to this measurement; run the stage again.'),
  EXTRACTION_UNMEASURED: permanent(404, 'Measure it first: saip attack extract MODEL.'),
  EXTRACTION_NO_BUDGET: permanent(
    409,
    'Measure with fewer queries, tell less in answers, or choose another threshold.',
  ),
  // tracking, registry, signing, serving
  MLFLOW_UNAVAILABLE: transient(503, 'MLflow does not answer: saip status.'),
  MLFLOW_REJECTED: permanent(502, 'MLflow refused the request; see the message.'),
  MODEL_UNKNOWN: permanent(404, 'saip models list shows what is registered.'),
  MODEL_VERSION_UNKNOWN: permanent(404, 'saip models show MODEL lists the versions.'),
  MODEL_VERSION_WITHDRAWN: permanent(409, 'The version was withdrawn after a failure; register the model again.'),
  ALIAS_UNKNOWN: permanent(404, 'The model has no such alias.'),
  ROLLBACK_IMPOSSIBLE: permanent(409, 'There is no earlier champion to go back to.'),
  SIGNATURE_MISSING: permanent(409, 'Unsigned models are not served; register the model again.'),
  SIGNATURE_UNTRUSTED: permanent(409, 'Nobody you trust signed this; compare the fingerprint of the key.'),
  SIGNATURE_INVALID: permanent(409, 'The model or its signature was changed; it is not served.'),
  MODEL_NOT_READY: transient(503, 'The model is not loaded; /v2/models/{model}/ready tells why.'),
  MODEL_UNLOADED: permanent(409, 'An administrator took it out of service; saip models load MODEL brings it back.'),
  MODEL_LOAD_FAILED: permanent(500, 'ONNX Runtime cannot load the model.'),
  TENSOR_INVALID: permanent(400, 'Send the inputs that GET /v2/models/{model} describes.'),
  UNSUPPORTED_DATATYPE: permanent(400, 'Use one of the datatypes in the model metadata.'),
  // limits and misuse
  QUOTA_EXCEEDED: transient(429, 'The rows of the day are used up; wait as long as Retry-After says.'),
  MISUSE_STOPPED: permanent(403, 'This caller was flagged for this model; a person can lift it: saip misuse list.'),
  MISUSE_FLAG_UNKNOWN: permanent(404, 'saip misuse list --all shows every flag.'),
  MISUSE_FLAG_LIFTED: permanent(409, 'Nothing is left to lift; saip misuse list shows what is.'),
  LIMIT_UNKNOWN: permanent(404, 'saip limits list shows what is set.'),
  INPUT_OUT_OF_RANGE: permanent(422, 'Send values in the range that the model was trained on.'),
  SCORE_FILE_INVALID: permanent(422, 'Mend the named line or column of the file: docs/inference.md.'),
  SCORE_NOT_THERE: permanent(409, 'The predictions are there once the workflow has completed; look at its progress.'),
  ROLLOUT_NOT_SERVED: permanent(409, 'The API did not take the version; the former champion was restored.'),
  // releases
  RELEASE_UNKNOWN: permanent(404, 'saip release list shows what is published.'),
  RELEASE_EXISTS: permanent(409, 'A version is released once; register a new version to release again.'),
  RELEASE_IN_PROGRESS: transient(409, 'This version is being released already; follow that workflow.'),
  RELEASE_EVIDENCE_MISSING: permanent(409, 'Produce the named evidence, then release again.'),
  RELEASE_POLICY_DENIED: permanent(409, 'The reasons say what the release policy asks for: infra/policies/release.'),
  RELEASE_NOT_APPROVED: permanent(409, 'Another person must agree; start the release again.'),
  RELEASE_DIGEST_MISMATCH: permanent(409, 'The folder is not what was released; get it again and do not use this one.'),
  RELEASE_KEY_UNTRUSTED: permanent(
    409,
    'Nobody you trust signed this; compare the fingerprint with saip release keys.',
  ),
  RELEASE_INVALID: permanent(409, 'This is not a release of this platform, or not one that was made whole.'),
  SBOM_FAILED: transient(500, 'Syft could not read the lock files; see the worker log.'),
  // federated identity
  SUBJECT_TOKEN_INVALID: permanent(
    400,
    'The token must come from the configured issuer, repository, ref and environment.',
  ),
  TOKEN_EXCHANGE_OFF: permanent(400, 'Configure an issuer to trust: SAIP_OIDC_* in docs/configuration.md.'),
  IDENTITY_PROVIDER_UNAVAILABLE: transient(503, 'The keys of the external issuer cannot be fetched; try again.'),
  // agents
  AGENT_UNKNOWN: permanent(404, 'saip agent list shows what exists.'),
  AGENT_QUESTION_REFUSED: permanent(422, 'Ask again without what the named rules found; docs/agents.md lists them.'),
  CHAT_MODEL_NOT_CONFIGURED: permanent(422, 'Name a configured model, or set SAIP_LLM_*: docs/configuration.md.'),
  LLM_UNAVAILABLE: transient(503, 'The language model server does not answer; check SAIP_LLM_URL.'),
  LLM_REJECTED: permanent(502, 'The language model server refused; check its key, name and limits.'),
  // workflows and toolchain
  WORKFLOW_UNKNOWN: permanent(404, 'saip workflows list shows what exists.'),
  WORKFLOW_CLOSED: permanent(409, 'The workflow has ended.'),
  STAGE_NOT_FAILED: permanent(409, 'Only a failed stage that still waits can be retried; look at its progress.'),
  ROLLOUT_IN_PROGRESS: transient(409, 'Another rollout of this model runs; wait for it or cancel it.'),
  WORKFLOW_REPLAY_FAILED: permanent(
    500,
    'Open workflows need the former build: let it finish them, or reset them; then start this one.',
  ),
  SCHEDULE_UNKNOWN: permanent(404, 'saip schedule list shows what exists.'),
  SCHEDULE_EXISTS: permanent(409, 'Delete it first or choose another id.'),
  PAYLOAD_UNDECRYPTABLE: permanent(500, 'The payload was encrypted with a key this process cannot unwrap.'),
  STACK_UNHEALTHY: permanent(503, 'saip doctor names the service and the mend.'),
  TOOL_MISSING: permanent(500, 'make setup installs it.'),
  AUDIT_LOG_TAMPERED: permanent(409, 'Keep the database and every copy as they are; docs/audit.md says what to do.'),
  AUDIT_NOTE_INVALID: permanent(422, 'Give the file or key as the platform wrote it: saip audit key.'),
  AUDIT_KEY_UNTRUSTED: permanent(409, 'Another key signed this; compare the verifier key by another way.'),
  AUDIT_RANGE_UNKNOWN: permanent(404, 'The tree is not that large yet; GET /v1/audit/checkpoint says how large it is.'),
  AUDIT_UNAVAILABLE: transient(503, 'The audit log cannot be written, so nothing is done.'),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorOptions {
  readonly cause?: unknown;
  /** The field, file or parameter at fault. */
  readonly field?: string;
}

/**
 * Base of every error the platform throws on purpose. Each domain derives one class that narrows `code`.
 * `message` says what is wrong in one sentence and never holds a secret.
 */
export class SaipError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = 'SaipError';
  readonly code: C;
  readonly field: string | undefined;

  constructor(code: C, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
  }

  get spec(): ErrorSpec {
    return ERRORS[this.code];
  }
}

/** True for errors of any copy of this module (a code from the table is what identifies them). */
export function isSaipError(error: unknown): error is SaipError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code in ERRORS;
}

/** Second half of a Temporal failure: what its `details` hold beside the message. */
export interface FailureDetail {
  readonly field?: string;
  readonly hint: string;
}

/** Options of the `ApplicationFailure` that stands for `error`: its type is the code, and the table decides on retries. */
export function failureOptions(error: SaipError): {
  readonly type: ErrorCode;
  readonly message: string;
  readonly nonRetryable: boolean;
  readonly details: readonly [FailureDetail];
} {
  const { hint, retryable } = ERRORS[error.code];
  const detail = error.field === undefined ? { hint } : { field: error.field, hint };
  return { type: error.code, message: error.message, nonRetryable: !retryable, details: [detail] };
}
