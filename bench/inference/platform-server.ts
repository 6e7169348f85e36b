import { createHash, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import express from 'express';
import { Authenticator, SessionCookie, Sessions, decideBy } from '../../api/auth/index.ts';
import { DataPlane } from '../../api/data-plane/index.ts';
import { HttpMetrics } from '../../api/http/metrics.ts';
import { inferenceRoutes } from '../../api/routes/index.ts';
import { HttpServer } from '../../api/server.ts';
import {
  GuardMetrics,
  GuardState,
  InferenceGuard,
  InferenceMetrics,
  InferenceRecorder,
  LoadedModel,
  ServedModels,
  Watch,
} from '../../api/serving/index.ts';
import { ThreadPool } from '../../api/serving/runtime/thread-pool.ts';
import { Shipper, Spool } from '../../lib/audit/index.ts';
import { loadConfig } from '../../lib/config/index.ts';
import { IdentityError, Revocations, TokenVerifier, TransitKeySet } from '../../lib/identity/index.ts';
import { UsageLedger } from '../../lib/limits/index.ts';
import { Authorizer, DecisionCache } from '../../lib/policy/index.ts';
import { createLogger, createMetricsRegistry } from '../../lib/telemetry/index.ts';
import { AUDIENCE, ISSUER, MODEL, type ServerOrder } from './orders.ts';

/**
 * The platform's data plane as the API runs it, with every check on: tokens, revocation list, compiled policy, audit
 * spool, limits and the watch over misuse, metrics. Keys come from the benchmark instead of OpenBao, and what is shipped out of the spool goes nowhere:
 * `saip bench audit` measures that part.
 */
const order = JSON.parse(process.argv[2] ?? '{}') as ServerOrder;
const bytes = await readFile(order.model);
const digest = createHash('sha256').update(bytes).digest('hex');
const logger = createLogger('api', { level: 'error' });
const registry = createMetricsRegistry('api');

const settings = { intraOpNumThreads: 1 };
const served = new ServedModels();
const loaded = await LoadedModel.load({
  model: MODEL,
  version: '1',
  digest,
  bytes,
  settings,
  threads: new ThreadPool({ size: 1, settings }),
  batching: { mode: order.batching ?? 'auto', rows: 32, delay: 2, queue: 256 },
});
served.set({ state: 'ready', target: { model: MODEL, alias: 'champion', version: '1', digest }, loaded });

const pem = createPublicKey({ key: order.key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
const keys = new TransitKeySet({
  key: 'tokens',
  transit: {
    transitPublicKeys: () =>
      Promise.resolve({ latest: 1, keys: [{ version: 1, pem, jwk: order.key, createdAt: new Date(0).toISOString() }] }),
    transitSign: () => Promise.reject(new Error('the benchmark signs its tokens itself')),
  },
});
const revocations = new Revocations({ load: () => Promise.resolve([]) });
await revocations.start();
const authenticator = new Authenticator({
  verifier: new TokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, revocations }),
  keys: { verify: () => Promise.reject(new IdentityError('API_KEY_INVALID', 'The API key is unknown.')) },
  sessions: new Sessions(),
  cookie: new SessionCookie({ secure: false }),
  origins: new Set(),
});

const root = order.audit ?? '';
const spool = await Spool.open({ root, limit: 1024 ** 3, sync: 'window' });
const onError = (error: unknown): void => logger.error({ err: error }, 'the spool is not shipped');
new Shipper({ root, spool, send: () => Promise.resolve(), onError }).start();

const { slowRate, ...protection } = loadConfig('test', { SAIP_HOME: root }).misuse;
const state = new GuardState({
  store: {
    rules: () => Promise.resolve([]),
    protections: () => Promise.resolve([]),
    flags: () => Promise.resolve([]),
    allowances: () => Promise.resolve([]),
  },
  // As the platform counts them, but so large that no benchmark reaches them.
  limits: { rate: 1_000_000, burst: 10_000_000, dailyRows: 0, budgetRows: 0 },
  protection,
  onError,
});
await state.start();
const ledger = new UsageLedger({ store: { add: () => Promise.resolve(), totals: () => Promise.resolve([]) }, onError });
const guardMetrics = new GuardMetrics(registry, { flagged: () => state.flagged });
const guard = new InferenceGuard({
  ...{ state, ledger, slowRate, onError },
  watch: new Watch({ onSkipped: (rows) => guardMetrics.skipped(rows) }),
  metrics: guardMetrics,
  raise: () => Promise.resolve(),
});

const surface = { logger, https: false, metrics: new HttpMetrics(registry) };
const plane = new DataPlane({
  ...surface,
  routes: inferenceRoutes({
    served,
    metrics: new InferenceMetrics(registry, served),
    recorder: new InferenceRecorder({ append: (record) => spool.append(record), onRefused: () => undefined }),
    isReady: () => true,
    switchModel: () => Promise.reject(new Error('the benchmark serves one model')),
    guard,
  }),
  guards: {
    authenticate: (request, options) => authenticator.authenticate(request, options),
    decide: decideBy(new DecisionCache({ authorizer: await Authorizer.load() })),
  },
});
const port = await new HttpServer(express(), plane).listen('127.0.0.1', 0);
console.log(JSON.stringify({ port, batches: loaded.batches, runMs: await alone() }));

/** The median of calls of the runtime with one sample, in milliseconds, without any server around them. */
async function alone(): Promise<number> {
  const [input] = loaded.inputs;
  if (input === undefined) throw new Error('the model has no input');
  const dims = [1, ...input.shape.slice(1)];
  const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
  const fetches = loaded.outputs.map(({ name }) => name);
  const times: number[] = [];
  for (let call = 0; call < 500; call += 1) {
    const startedAt = performance.now();
    await loaded.run({ [input.name]: { type: 'float32', data, dims } }, fetches);
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b)[250] ?? Number.NaN;
}
