import { ReleaseRequest, type ReleaseInput } from '../../contracts/sign-and-release.ts';
import { releaseStart, releaseWorkflowId } from '../../contracts/workflows.ts';
import { ApiError } from '../errors.ts';
import { route, type Route } from '../http/route.ts';
import type { TemporalGateway } from '../temporal/gateway.ts';
import { startLocked } from '../temporal/start.ts';
import { started, startHeaders } from './started.ts';

export interface ReleaseStartOptions {
  readonly temporal: TemporalGateway;
  /** @throws MODEL_UNKNOWN, MODEL_VERSION_UNKNOWN */
  readonly requireVersion: (model: string, version: string) => Promise<unknown>;
  /** @throws MODEL_UNKNOWN */
  readonly requireModel: (model: string) => Promise<unknown>;
  readonly champion: (model: string) => Promise<{ readonly version: string } | undefined>;
}

/** `POST /v1/workflows/sign-and-release` */
export function releaseStartRoute(options: ReleaseStartOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/sign-and-release',
    operationId: 'startRelease',
    tag: 'Workflows',
    summary: 'Collect evidence about a registered version, sign it, and publish it as a release',
    access: 'workflow:start',
    resource: () => ({ workflowType: 'signAndRelease' }),
    headers: startHeaders,
    body: ReleaseRequest,
    success: started,
    errors: [
      'MODEL_UNKNOWN',
      'MODEL_VERSION_UNKNOWN',
      'ALIAS_UNKNOWN',
      'RELEASE_IN_PROGRESS',
      'IDEMPOTENCY_MISMATCH',
      'UNAVAILABLE',
    ],
    auditDetail: ({ body: { model, version = 'champion', risk } }) => ({ model, version, risk }),
    handler: async ({ body, headers, caller, response }) => {
      const version = await resolveVersion(body, options);
      const input: ReleaseInput = { ...body, version, requestedBy: caller.sub, tenant: caller.tenant };
      const run = await startLocked(
        options.temporal,
        releaseWorkflowId(input.model, version),
        {
          start: releaseStart(input),
          input,
          idempotency: { key: headers['idempotency-key'], subject: caller.sub, body },
        },
        'RELEASE_IN_PROGRESS',
      );
      response.location(run.links.self);
      return run;
    },
  });
}

/** The version asked for, or the one that is champion now: a release is about bytes, not about a name that moves. */
async function resolveVersion({ model, version }: ReleaseRequest, options: ReleaseStartOptions): Promise<string> {
  if (version !== undefined) {
    await options.requireVersion(model, version);
    return version;
  }
  await options.requireModel(model);
  const champion = await options.champion(model);
  if (champion !== undefined) return champion.version;
  throw new ApiError('ALIAS_UNKNOWN', `The model ${model} has no champion; name a version.`, { field: 'body.version' });
}
