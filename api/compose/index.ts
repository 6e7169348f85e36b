import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { resolveAttackInput } from '../../lib/adversary/index.ts';
import {
  AliasLog,
  AttackLog,
  BaoClient,
  Datasets,
  ExtractionLog,
  LineageLog,
  ModelRegistry,
  ModelUploads,
  Releases,
  ServingStatus,
  StepStore,
  createPool,
  withLock,
} from '../../lib/clients/index.ts';
import { Keyring, createPayloadCodec, transitWrapper } from '../../lib/codec/index.ts';
import { ConfigError, type SaipConfig } from '../../lib/config/index.ts';
import { ToolPolicy } from '../../lib/agents/index.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { DatasetCatalogue } from '../../lib/datasets/index.ts';
import { resolveExtractionInput, resolveTrainInput } from '../../lib/ml/index.ts';
import { Authorizer, DecisionCache } from '../../lib/policy/index.ts';
import { ReleaseStore } from '../../lib/release/index.ts';
import { resolveSearchInput } from '../../lib/search/index.ts';
import type { StepCollection } from '../../contracts/step-cache.ts';
import { collectSteps } from '../../lib/stepcache/index.ts';
import { transitPublicKeys } from '../../lib/supplychain/index.ts';
import { openMetrics } from '../../lib/telemetry/index.ts';
import { createApp } from '../app.ts';
import { SignIn, cors, createGuards, decideBy } from '../auth/index.ts';
import { DataPlane } from '../data-plane/index.ts';
import type { Logger } from '../http/error-handler.ts';
import { HttpMetrics } from '../http/metrics.ts';
import type { Route } from '../http/route.ts';
import { untraced } from '../http/trace.ts';
import type { Member } from '../processes/index.ts';
import { routeTable } from '../route-table.ts';
import { HttpServer } from '../server.ts';
import { InferenceMetrics } from '../serving/index.ts';
import { EventFeeds } from '../temporal/event-feed.ts';
import { TemporalGateway } from '../temporal/gateway.ts';
import { readEvent } from '../temporal/progress.ts';
import { VERSION } from '../version.ts';
import { composeAudit } from './audit.ts';
import { composeGuard } from './guard.ts';
import { healthChecks } from './health.ts';
import { composeIdentity } from './identity.ts';
import { composeServing } from './serving.ts';

export { TOKEN_AUDIENCE } from './identity.ts';

export interface ComposeOptions {
  readonly config: SaipConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Where this is one of several processes. */
  readonly member?: Member | undefined;
}

export interface Api {
  /** Every route that is mounted. */
  readonly routes: readonly Route[];
  /** Listens, and settles once every alias that can be served is served. @returns the port */
  start(): Promise<number>;
  /** Lets requests in flight finish, then frees everything; `notice` as in `HttpServer.drain`. */
  stop(options?: { notice?: number }): Promise<void>;
}

const Credentials = z.object({ username: z.string(), password: z.string() });

/**
 * Builds the API out of its parts; the only place that knows them all.
 * @throws SECRET_UNAVAILABLE, POLICY_UNAVAILABLE: without keys and policy there is nothing that it may answer
 */
export async function composeApi({ config, logger, registry, member }: ComposeOptions): Promise<Api> {
  const bao = new BaoClient({ address: config.bao.address, loginFile: loginFile(config) });
  const credentials = Credentials.parse(await bao.kvRead('saip/postgres/api'));
  const pool = createPool(config, credentials);
  const keyring = new Keyring({ wrapper: transitWrapper(bao) });
  const temporal = new TemporalGateway({
    address: config.temporal.address,
    namespace: config.temporal.namespace,
    codec: createPayloadCodec({ keyring }),
    interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] },
    uiUrl: config.temporal.uiUrl,
  });
  const serving = composeServing({ config, logger, bao, pool, credentials });
  const feeds = new EventFeeds({ read: (id) => untraced(() => readEvent(temporal, id)) });
  const identity = composeIdentity({ config, bao, pool, registry, others: member });
  const audit = await composeAudit({ config, logger, registry, bao, pool });
  const guard = composeGuard({ config, logger, registry, pool });
  const authorizer = await Authorizer.load();
  const guards = createGuards({
    authenticator: identity.authenticator,
    authorizer,
    auditLog: audit.log,
    processes: config.api.processes,
  });
  const models = new ModelRegistry(pool);
  const aliases = new AliasLog(pool);
  const artifacts = new ArtifactStore({ root: config.artifacts });
  const datasets = new Datasets(pool);
  const catalogue = new DatasetCatalogue({ store: artifacts, added: datasets });
  const requireModel = (model: string): Promise<unknown> => models.model(model);
  const steps = new StepStore(pool);
  const collect = (): Promise<StepCollection> =>
    withLock(pool, 'step-cache:collect', () => collectSteps({ steps, uploads: datasets, artifacts }));
  const routes = routeTable({
    attacks: { attacks: new AttackLog(pool), requireModel },
    agents: {
      temporal,
      llm: config.llm,
      policy: await ToolPolicy.load(),
      artifacts,
    },
    batchScore: { temporal, artifacts, uploads: datasets, aliases, requireModel },
    datasets: {
      ...{ artifacts, datasets, uploadMib: config.api.uploadMib, url: config.api.url },
      catalogue,
    },
    apiKeys: { keyring: identity.keyring },
    auth: { ...identity, audit: guards.audit, signIn: new SignIn({ ...identity, audit: guards.audit }) },
    audit: audit.routes,
    // Histories hold payloads from before encryption, such as search attributes: shown as they are.
    codec: { codec: createPayloadCodec({ keyring, plaintext: 'pass' }) },
    health: {
      checks: healthChecks({ bao, pool, temporal, serving }),
      scrape: member?.scrape ?? (() => registry.metrics()),
      openMetrics: member ? undefined : () => openMetrics(registry),
      metricsOpen: config.api.metricsOpen,
    },
    imports: {
      temporal,
      artifacts,
      uploads: new ModelUploads(pool),
      requireDataset: (dataset, tenant) => catalogue.get(dataset, tenant),
    },
    inference: {
      served: serving.served,
      metrics: new InferenceMetrics(registry, serving.served),
      recorder: audit.recorder,
      guard: guard.guard,
      isReady: () => serving.ready,
      switchModel: (model, load, actor) => serving.switch(model, load, actor),
    },
    lineage: { lineage: new LineageLog(pool), registry: models },
    stepCache: { steps, collect },
    limits: guard.limits,
    extractions: {
      extractions: new ExtractionLog(pool),
      ...{ limits: guard.budgets, onChange: guard.limits.onChange, requireModel },
    },
    misuse: { ...guard.misuse, requireModel },
    models: { registry: models, aliases, serving: new ServingStatus(pool) },
    pages: { temporalUiUrl: config.temporal.uiUrl },
    releases: {
      releases: new Releases(pool),
      folders: new ReleaseStore({ root: config.artifacts }),
      publicKeys: () => transitPublicKeys(bao, 'releases'),
    },
    schedules: { temporal, resolveTrainInput, resolveAttackInput, requireModel },
    events: { temporal, feeds, logger },
    workflows: { temporal, signApproval: identity.signApproval },
    starts: {
      temporal,
      resolveTrainInput,
      resolveSearchInput,
      resolveAttackInput,
      resolveExtractionInput,
      requireModel,
      requireVersion: (model, version) => models.get(model, version),
      champion: (model) => aliases.current(model, 'champion'),
    },
    openapi: { version: VERSION, url: config.api.url },
  });
  const surface = { routes, logger, metrics: new HttpMetrics(registry), https: config.api.url.startsWith('https:') };
  const server = new HttpServer(
    createApp({ ...surface, guards, cors: cors({ origins: identity.origins, prefix: '/v1/codec/' }) }),
    new DataPlane({
      ...surface,
      guards: { authenticate: guards.authenticate, decide: decideBy(new DecisionCache({ authorizer })) },
    }),
    surface,
  );
  return {
    routes,
    start: async () => {
      await identity.revocations.start();
      audit.start();
      await guard.start();
      // Among several processes, one that has loaded nothing yet would be given requests that the others can answer.
      if (member) await serving.start();
      const port = await server.listen(config.api.host, config.api.port);
      if (!member) await serving.start();
      return port;
    },
    stop: async ({ notice } = {}) => {
      serving.retire();
      identity.revocations.stop();
      feeds.close();
      await server.drain({ notice });
      await serving.stop();
      await guard.stop();
      await audit.stop();
      await temporal.close();
      await pool.end();
      await bao.close();
    },
  };
}

function loginFile(config: SaipConfig): string {
  if (config.bao.loginFile !== undefined) return config.bao.loginFile;
  throw new ConfigError([{ setting: 'SAIP_BAO_LOGIN_FILE', message: 'the API needs a login for OpenBao' }]);
}
