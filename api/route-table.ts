import { openApiDocument, type OpenApiDocument } from './openapi/document.ts';
import type { Route } from './http/route.ts';
import {
  attackRoutes,
  agentRoutes,
  apiKeyRoutes,
  auditRoutes,
  authRoutes,
  batchScoreRoutes,
  codecRoutes,
  datasetRoutes,
  healthRoutes,
  inferenceRoutes,
  extractionRoutes,
  limitRoutes,
  lineageRoutes,
  misuseRoutes,
  modelImportRoutes,
  modelRoutes,
  pageRoutes,
  presetRoutes,
  releaseRoutes,
  releaseStartRoute,
  scheduleRoutes,
  stepCacheRoutes,
  workflowEventsRoute,
  workflowRoutes,
  workflowStartRoutes,
  type AttackRoutesOptions,
  type AgentRoutesOptions,
  type ApiKeyRoutesOptions,
  type AuditRoutesOptions,
  type AuthRoutesOptions,
  type BatchScoreOptions,
  type DatasetRoutesOptions,
  type ExtractionRoutesOptions,
  type HealthRoutesOptions,
  type InferenceRoutesOptions,
  type LimitRoutesOptions,
  type LineageRoutesOptions,
  type MisuseRoutesOptions,
  type ModelImportsOptions,
  type ModelSources,
  type PageRoutesOptions,
  type ReleaseRoutesOptions,
  type ReleaseStartOptions,
  type ScheduleRoutesOptions,
  type StepCacheRoutesOptions,
  type WorkflowEventsOptions,
  type WorkflowRoutesOptions,
  type WorkflowStartsOptions,
} from './routes/index.ts';

export interface RouteTableOptions {
  readonly attacks: AttackRoutesOptions;
  readonly agents: AgentRoutesOptions;
  readonly apiKeys: ApiKeyRoutesOptions;
  readonly audit: AuditRoutesOptions;
  readonly auth: AuthRoutesOptions;
  readonly batchScore: BatchScoreOptions;
  readonly datasets: DatasetRoutesOptions;
  readonly codec: Parameters<typeof codecRoutes>[0];
  readonly extractions: ExtractionRoutesOptions;
  readonly health: HealthRoutesOptions;
  readonly imports: ModelImportsOptions;
  readonly inference: InferenceRoutesOptions;
  readonly limits: LimitRoutesOptions;
  readonly misuse: MisuseRoutesOptions;
  readonly models: ModelSources;
  readonly lineage: LineageRoutesOptions;
  readonly pages: Omit<PageRoutesOptions, 'document'>;
  readonly releases: ReleaseRoutesOptions;
  readonly schedules: ScheduleRoutesOptions;
  readonly stepCache: StepCacheRoutesOptions;
  readonly events: WorkflowEventsOptions;
  readonly workflows: WorkflowRoutesOptions;
  readonly starts: WorkflowStartsOptions & ReleaseStartOptions;
  readonly openapi: { readonly version: string; readonly url: string };
}

/** Every route of the API. What is not in this table is not there. */
export function routeTable(options: RouteTableOptions): Route[] {
  let document: OpenApiDocument | undefined;
  const routes: Route[] = [
    ...authRoutes(options.auth),
    ...apiKeyRoutes(options.apiKeys),
    ...workflowStartRoutes(options.starts),
    releaseStartRoute(options.starts),
    ...workflowRoutes(options.workflows),
    workflowEventsRoute(options.events),
    ...modelRoutes(options.models),
    ...lineageRoutes(options.lineage),
    ...stepCacheRoutes(options.stepCache),
    ...modelImportRoutes(options.imports),
    ...batchScoreRoutes(options.batchScore),
    ...attackRoutes(options.attacks),
    ...presetRoutes(),
    ...releaseRoutes(options.releases),
    ...datasetRoutes(options.datasets),
    ...agentRoutes(options.agents),
    ...scheduleRoutes(options.schedules),
    ...inferenceRoutes(options.inference),
    ...limitRoutes(options.limits),
    ...extractionRoutes(options.extractions),
    ...misuseRoutes(options.misuse),
    ...auditRoutes(options.audit),
    ...codecRoutes(options.codec),
    ...healthRoutes(options.health),
    ...pageRoutes({ ...options.pages, document: () => (document ??= openApiDocument(routes, options.openapi)) }),
  ];
  return routes;
}
