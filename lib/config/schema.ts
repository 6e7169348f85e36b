import { z } from 'zod';
import { ChatModelName } from '../../contracts/agent-task.ts';
import { RateShares } from '../../contracts/limits.ts';
import { MisuseAction, RangeAction } from '../../contracts/misuse.ts';
import { OidcIssuers, issuerUrl } from './oidc-issuers.ts';

/** Which process of the platform this is: it decides the login, the database user and the name in logs and traces. */
export const ProcessName = z.enum([
  'api',
  'worker-orchestration',
  'worker-cpu',
  'worker-gpu',
  'worker-release',
  'worker-agents',
  'sequencer',
  'cli',
  'test',
]);
export type ProcessName = z.infer<typeof ProcessName>;

/** How a setting is spelled as a variable, and what the reference says about it. */
export interface SettingMeta {
  readonly env: string;
  readonly description: string;
  /** Where the default depends on other settings or the machine. */
  readonly derivedDefault?: string;
}

export const SETTING_META = z.registry<SettingMeta>();

/** A copy of `schema`, since the registry knows a schema by its identity. */
const setting = <T extends z.ZodType>(schema: T, meta: SettingMeta): T => {
  const own = schema.clone();
  SETTING_META.add(own, meta);
  return own;
};

const text = z.string().min(1).max(4096);
const port = z.coerce
  .number<string | number>({ error: 'expected a whole number in its range' })
  .int()
  .min(1)
  .max(65_535);
const count = z.coerce
  .number<string | number>({ error: 'expected a whole number in its range' })
  .int()
  .min(1)
  .max(1024);
const httpUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));
const hostAndPort = text.regex(/^(?:[^\s:[\]]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/, 'expected host:port');

const temporal = z.strictObject({
  address: setting(hostAndPort.default('127.0.0.1:7233'), {
    env: 'TEMPORAL_ADDRESS',
    description: 'host:port of the Temporal frontend.',
  }),
  namespace: setting(text.default('default'), { env: 'TEMPORAL_NAMESPACE', description: 'Temporal namespace.' }),
  uiUrl: setting(httpUrl.default('http://127.0.0.1:8233'), {
    env: 'SAIP_TEMPORAL_UI_URL',
    description: 'Base URL of the Temporal UI: for links, and the one origin that the codec endpoint admits.',
  }),
});

const mlflow = z.strictObject({
  url: setting(httpUrl.default('http://127.0.0.1:5000'), {
    env: 'SAIP_MLFLOW_URL',
    description: 'Base URL of the MLflow server.',
  }),
});

const bao = z.strictObject({
  address: setting(httpUrl.default('http://127.0.0.1:8200'), {
    env: 'SAIP_BAO_ADDR',
    description: 'Base URL of OpenBao.',
  }),
  loginFile: setting(text.optional(), {
    env: 'SAIP_BAO_LOGIN_FILE',
    description: 'File (mode 0600) with the AppRole login of this process: `{"roleId", "secretId"}`.',
    derivedDefault: 'none; the API and the workers need one',
  }),
});

const postgres = z.strictObject({
  host: setting(text.default('127.0.0.1'), {
    env: 'SAIP_POSTGRES_HOST',
    description: 'Host of PostgreSQL. User and password come from OpenBao, `secret/saip/postgres/<process>`.',
  }),
  port: setting(port.default(5433), { env: 'SAIP_POSTGRES_PORT', description: 'Port of PostgreSQL.' }),
  database: setting(text.default('saip'), {
    env: 'SAIP_POSTGRES_DATABASE',
    description: "The platform's database.",
  }),
});

const api = z.strictObject({
  host: setting(text.default('127.0.0.1'), {
    env: 'SAIP_API_HOST',
    description: 'Address that the API listens on.',
  }),
  port: setting(port.default(8080), { env: 'SAIP_API_PORT', description: 'Port that the API listens on.' }),
  url: setting(httpUrl.optional(), {
    env: 'SAIP_API_URL',
    description: 'Public URL of the API, and the issuer of its tokens.',
    derivedDefault: '`http://<api.host>:<api.port>`',
  }),
  uploadMib: setting(count.default(1024), {
    env: 'SAIP_API_UPLOAD_MIB',
    description: 'Largest file that a data set is made of, in MiB.',
  }),
  processes: setting(count.max(64, 'at most 64').default(1), {
    env: 'SAIP_API_PROCESSES',
    description: 'Processes that answer at the port. Each loads every model.',
  }),
  metricsOpen: setting(z.union([z.boolean(), z.stringbool()]).default(false), {
    env: 'SAIP_METRICS_OPEN',
    description: '`true`: `/metrics` needs no token. Otherwise a scraper brings one with `metrics:read`.',
  }),
});

const serving = z.strictObject({
  threads: setting(count.default(1), {
    env: 'SAIP_SERVING_THREADS',
    description: 'Threads of one ONNX Runtime call. More than one is slower on a busy machine.',
  }),
  workers: setting(count.default(1), {
    env: 'SAIP_SERVING_WORKERS',
    description: 'Worker threads for predictions that take over 2 ms.',
  }),
  batching: setting(z.enum(['auto', 'on', 'off']).default('auto'), {
    env: 'SAIP_SERVING_BATCHING',
    description:
      'Whether requests of a model share calls. `auto`: where it was measured, at the load of the model, to let through 1.2 times as many.',
  }),
  batchRows: setting(count.default(32), {
    env: 'SAIP_SERVING_BATCH_ROWS',
    description: 'Most rows of a call that requests share.',
  }),
  batchDelay: setting(count.max(100, 'at most 100').default(2), {
    env: 'SAIP_SERVING_BATCH_DELAY',
    description: 'Longest wait of a request for others, in milliseconds; an idle model waits for none.',
  }),
  queue: setting(count.default(256), {
    env: 'SAIP_SERVING_QUEUE',
    description: 'Requests that may wait for a model whose requests share calls; more are refused (503).',
  }),
});

const milliseconds = z.coerce
  .number<string | number>({ error: 'expected a whole number in its range' })
  .int()
  .min(10)
  .max(3_600_000);

const audit = z.strictObject({
  origin: setting(text.regex(/^[^\s+]+$/, 'no spaces and no plus').default('saip.local/audit'), {
    env: 'SAIP_AUDIT_ORIGIN',
    description: 'Name of the audit log in its checkpoints, and of the key that signs them: a URL without its scheme.',
  }),
  spool: setting(text.optional(), {
    env: 'SAIP_AUDIT_SPOOL',
    description: 'Folder of the records that are not in PostgreSQL yet; on a disk of this machine.',
    derivedDefault: '`<home>/data/audit/spool`',
  }),
  spoolMib: setting(count.default(256), {
    env: 'SAIP_AUDIT_SPOOL_MIB',
    description: 'Most that the spool may hold, in MiB. What it cannot hold is refused (503 `AUDIT_UNAVAILABLE`).',
  }),
  sync: setting(z.enum(['window', 'each']).default('window'), {
    env: 'SAIP_AUDIT_SYNC',
    description:
      '`each`: an answer waits until its record is on the disk. `window`: until the system has it; a loss of power may then take the last 20 ms.',
  }),
  pause: setting(milliseconds.default(200), {
    env: 'SAIP_AUDIT_PAUSE',
    description: 'Milliseconds between two looks of the sequencer at an empty queue.',
  }),
  checkpointPause: setting(milliseconds.default(1_000), {
    env: 'SAIP_AUDIT_CHECKPOINT_PAUSE',
    description: 'Least milliseconds between two signed heads.',
  }),
  retentionDays: setting(
    z.coerce
      .number<string | number>({ error: 'expected a whole number in its range' })
      .int()
      .min(0)
      .max(36_500)
      .default(0),
    {
      env: 'SAIP_AUDIT_RETENTION_DAYS',
      description: 'Days after which the personal data of a record is erased; 0 keeps it.',
    },
  ),
});

const amount = (least: number, most: number): z.ZodCoercedNumber<string | number> =>
  z.coerce.number<string | number>({ error: 'expected a number in its range' }).min(least).max(most);

const limits = z.strictObject({
  rate: setting(amount(0, 1_000_000).default(5_000), {
    env: 'SAIP_LIMITS_RATE',
    description: 'Predictions a second for each caller and model; 0: no limit.',
  }),
  burst: setting(amount(1, 10_000_000).int().default(10_000), {
    env: 'SAIP_LIMITS_BURST',
    description: 'Predictions of a caller and model that may come at once.',
  }),
  dailyRows: setting(amount(0, Number.MAX_SAFE_INTEGER).int().default(0), {
    env: 'SAIP_LIMITS_DAILY_ROWS',
    description: 'Rows that a caller may ask of a model in a day (UTC), over all processes; 0: no limit.',
  }),
  budgetRows: setting(amount(0, Number.MAX_SAFE_INTEGER).int().default(100_000), {
    env: 'SAIP_LIMITS_BUDGET_ROWS',
    description: 'Rows in 30 days from which on a caller is flagged for the model (`query-budget`); 0: no budget.',
  }),
  shares: setting(RateShares.default('divided'), {
    env: 'SAIP_LIMITS_SHARES',
    description: 'What each of several API processes gives of a rate: its part, or the whole.',
  }),
  usageDays: setting(amount(31, 36_500).int().default(400), {
    env: 'SAIP_LIMITS_USAGE_DAYS',
    description: 'Days that counts of what callers asked are kept; more than the 30 of a budget.',
  }),
});

const misuse = z.strictObject({
  onFlag: setting(MisuseAction.default('observe'), {
    env: 'SAIP_MISUSE_ON_FLAG',
    description: 'What happens to a caller who is flagged for a model, where the model says nothing.',
  }),
  slowRate: setting(amount(0.001, 1_000).default(1), {
    env: 'SAIP_MISUSE_SLOW_RATE',
    description: 'Predictions a second of a caller who is slowed.',
  }),
  minW: setting(amount(0, 1).default(0.95), {
    env: 'SAIP_MISUSE_MIN_W',
    description: "Shapiro-Wilk's W of a caller's query distances below which the caller is flagged; 0: never.",
  }),
  maxStrangeShare: setting(amount(0, 1).default(0.5), {
    env: 'SAIP_MISUSE_MAX_STRANGE_SHARE',
    description: "Share of rows unlike the training's data above which a caller is flagged; 1: never.",
  }),
  outOfRange: setting(RangeAction.default('mark'), {
    env: 'SAIP_MISUSE_OUT_OF_RANGE',
    description: "Inputs out of the range of the training's data: passed over, marked in the answer, or refused.",
  }),
});

const oidc = z.strictObject({
  issuers: setting(OidcIssuers.optional(), {
    env: 'SAIP_OIDC_ISSUERS',
    description: 'Issuers whose access tokens are taken beside those of the platform: a list, as JSON in the variable.',
    derivedDefault: 'none',
  }),
  issuer: setting(issuerUrl.optional(), {
    env: 'SAIP_OIDC_ISSUER',
    description: 'Issuer whose tokens are exchanged for the role `releaser`; the other `oidc` settings bind them.',
    derivedDefault: 'none: no token is exchanged',
  }),
  keysUrl: setting(issuerUrl.optional(), {
    env: 'SAIP_OIDC_KEYS_URL',
    description: 'Where the issuer publishes its keys (JWKS).',
    derivedDefault: '`<oidc.issuer>/.well-known/jwks`',
  }),
  audience: setting(text.optional(), {
    env: 'SAIP_OIDC_AUDIENCE',
    description: 'Claim `aud` that an exchanged token must have.',
    derivedDefault: 'none',
  }),
  repositoryId: setting(text.regex(/^\d+$/, 'expected a number').optional(), {
    env: 'SAIP_OIDC_REPOSITORY_ID',
    description: 'Claim `repository_id`: the number stays when a repository is renamed, and is never given again.',
    derivedDefault: 'none',
  }),
  ref: setting(text.optional(), {
    env: 'SAIP_OIDC_REF',
    description: 'Claim `ref`, such as `refs/heads/main`.',
    derivedDefault: 'none',
  }),
  environment: setting(text.optional(), {
    env: 'SAIP_OIDC_ENVIRONMENT',
    description: 'Claim `environment`, such as `release`.',
    derivedDefault: 'none',
  }),
});

const gpu = z.strictObject({
  threads: setting(count.optional(), {
    env: 'SAIP_GPU_THREADS',
    description: 'Threads of each training process.',
    derivedDefault: 'chosen for the device',
  }),
  replicas: setting(count.optional(), {
    env: 'SAIP_GPU_REPLICAS',
    description: 'Data-parallel training processes.',
    derivedDefault: 'chosen for the device',
  }),
});

const stepCache = z.strictObject({
  days: setting(count.max(3650, 'at most ten years').default(30), {
    env: 'SAIP_STEP_CACHE_DAYS',
    description: 'Days that the result of a stage is kept for reuse after its last use.',
  }),
});

const llm = z.strictObject({
  model: setting(ChatModelName.default('embedded'), {
    env: 'SAIP_LLM_MODEL',
    description: 'Chat model of agents where a task names none. `remote` needs `SAIP_LLM_URL`.',
  }),
  file: setting(text.optional(), {
    env: 'SAIP_LLM_FILE',
    description: 'Weights (GGUF) of the embedded chat model; it runs in a child process on the CPU.',
    derivedDefault: 'the model of the toolchain, on the embedded stack',
  }),
  threads: setting(count.default(1), {
    env: 'SAIP_LLM_THREADS',
    description: 'Threads of the embedded chat model.',
  }),
  url: setting(httpUrl.optional(), {
    env: 'SAIP_LLM_URL',
    description: 'Base URL of an OpenAI-compatible server, with its `/v1`. Questions and tool results are sent there.',
    derivedDefault: 'none; then there is no `remote`',
  }),
  name: setting(text.default('default'), {
    env: 'SAIP_LLM_NAME',
    description: 'What that server calls the model.',
  }),
  key: setting(text.regex(/^[A-Za-z0-9_-]+$/, 'letters, digits, "_" and "-"').optional(), {
    env: 'SAIP_LLM_KEY',
    description: "Field of OpenBao's `secret/saip/llm` that holds the server's API key. Never the key itself.",
    derivedDefault: 'none; the server needs no key',
  }),
});

/**
 * Every setting of a process of the platform, without any secret: those are fetched from OpenBao with the login that
 * `bao.loginFile` names.
 */
export const Settings = z.strictObject({
  process: setting(ProcessName, {
    env: 'SAIP_PROCESS',
    description: 'Which process this is.',
    derivedDefault: 'given by the entry point',
  }),
  home: setting(text.optional(), {
    env: 'SAIP_HOME',
    description: 'State directory of the stack: data, logs, generated secrets.',
    derivedDefault: '`.saip` in the checkout',
  }),
  artifacts: setting(text.optional(), {
    env: 'SAIP_ARTIFACTS',
    description: 'Root of the content-addressed artifact store.',
    derivedDefault: '`<home>/data/artifacts`',
  }),
  logLevel: setting(z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'), {
    env: 'SAIP_LOG_LEVEL',
    description: 'Least level of the log lines that are written.',
  }),
  temporal: temporal.prefault({}),
  mlflow: mlflow.prefault({}),
  bao: bao.prefault({}),
  postgres: postgres.prefault({}),
  api: api.prefault({}),
  serving: serving.prefault({}),
  audit: audit.prefault({}),
  limits: limits.prefault({}),
  misuse: misuse.prefault({}),
  gpu: gpu.prefault({}),
  stepCache: stepCache.prefault({}),
  oidc: oidc.prefault({}),
  syft: setting(text.optional(), {
    env: 'SAIP_SYFT',
    description: 'Executable of Syft, with which the release worker catalogues the platform.',
    derivedDefault: 'none; the supervisor sets the one of the toolchain',
  }),
  llm: llm.prefault({}),
});
