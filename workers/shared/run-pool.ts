import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import pRetry from 'p-retry';
import { TASK_QUEUES } from '../../contracts/queues.ts';
import type { Pool } from '../../contracts/queues.ts';
import { loadConfig } from '../../lib/config/index.ts';
import type { SaipConfig } from '../../lib/config/index.ts';
import { sweepWorkFolders } from '../../lib/heavy/index.ts';
import { createLogger, startTelemetry } from '../../lib/telemetry/index.ts';
import type { Logger, Telemetry } from '../../lib/telemetry/index.ts';
import { dataConverter } from './data-converter.ts';
import { exitCodeOf, explain } from './exit.ts';
import { failureInterceptor } from './failures.ts';
import { temporalLogger } from './logger.ts';
import { releaseAbandoned, workerIdentity } from './predecessors.ts';
import { announce } from './readiness.ts';
import { openResources } from './resources.ts';
import type { Resources } from './resources.ts';
import { activitySpans } from './spans.ts';

/** What the options of a worker may depend on. */
export interface PoolContext {
  readonly config: SaipConfig;
  readonly resources: Resources;
  readonly connection: NativeConnection;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** What every pool sets. */
  readonly common: WorkerOptions;
}

export interface PoolSpec {
  readonly pool: Pool;
  /** Workflows or activities, slots, and what else is special about this pool. */
  readonly options: (context: PoolContext) => Promise<Partial<WorkerOptions>>;
}

/** Activities get this long after SIGTERM, then they are cancelled; their children are killed with them. */
const GRACE = '5s';
/** Below what the supervisor waits before it kills. */
const FORCE = '15s';

/**
 * The whole life of a worker process: configuration, login, connection, polling until SIGTERM or SIGINT, draining.
 * Sets the exit code; never rejects.
 */
export async function runPool(spec: PoolSpec): Promise<void> {
  let logger: Logger | undefined;
  try {
    const config = loadConfig(`worker-${spec.pool}`);
    logger = createLogger(config.process, { level: config.logLevel });
    await poll(spec, config, logger);
  } catch (error) {
    explain(error, logger);
    process.exitCode = exitCodeOf(error);
  }
}

async function poll(spec: PoolSpec, config: SaipConfig, logger: Logger): Promise<void> {
  const telemetry = await startTelemetry({ config });
  Runtime.install({
    logger: temporalLogger(logger),
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  });
  sweepWorkFolders();
  const resources = openResources(config);
  const connection = await connect(config);
  try {
    const common = commonOptions({ spec, config, resources, connection, telemetry });
    const context = { config, resources, connection, logger, telemetry, common };
    const worker = await Worker.create({ ...common, ...(await spec.options(context)) });
    await takeOver(context);
    logger.info({ taskQueue: common.taskQueue }, 'the worker polls');
    await announce(worker, process.env['SAIP_READY_FILE'], worker.run());
    logger.info('the worker has stopped');
  } finally {
    await connection.close();
    await resources.close();
    await telemetry.shutdown();
  }
}

/** Without it the heartbeats of what a killed predecessor did are overdue in a minute or two, and it is tried again then. */
async function takeOver({ config, connection, logger }: PoolContext): Promise<void> {
  const { namespace } = config.temporal;
  try {
    const service = connection.workflowService;
    const released = await releaseAbandoned({ service, namespace, process: config.process });
    if (released > 0) logger.warn({ released }, 'a killed predecessor left unfinished work; it is tried again');
  } catch (error) {
    logger.warn({ err: error }, 'what a killed predecessor left could not be handed back');
  }
}

/** A server that is being restarted is waited for; one that stays away is the supervisor's business. */
function connect(config: SaipConfig): Promise<NativeConnection> {
  return pRetry(() => NativeConnection.connect({ address: config.temporal.address }), {
    retries: 6,
    minTimeout: 250,
    maxTimeout: 4000,
  });
}

function commonOptions(o: Omit<PoolContext, 'common' | 'logger'> & { spec: PoolSpec }): WorkerOptions {
  return {
    connection: o.connection,
    namespace: o.config.temporal.namespace,
    taskQueue: TASK_QUEUES[o.spec.pool],
    identity: workerIdentity(o.config.process),
    dataConverter: dataConverter(o.resources.codec),
    // The failure interceptor is the inner one: spans record the typed failure.
    interceptors: {
      activity: [...(o.telemetry.enabled ? [activitySpans] : []), () => ({ inbound: failureInterceptor })],
    },
    shutdownGraceTime: GRACE,
    shutdownForceTime: FORCE,
    // Progress is followed live, and a cancellation comes with the answer to a heartbeat.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
  };
}
