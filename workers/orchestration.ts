import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { temporalLogger } from './shared/logger.ts';
import { workflowBundle } from './shared/bundle.ts';
import { replayOpenWorkflows } from './shared/replay-check.ts';
import { runPool } from './shared/run-pool.ts';
import { spanSink } from './shared/spans.ts';

/** Workflows only: it decides, and does nothing itself. */
await runPool({
  pool: 'orchestration',
  options: async ({ config, connection, logger, telemetry, common }) => {
    const bundle = await workflowBundle(
      join(config.home, 'cache', 'workflows'),
      temporalLogger(logger.child({}, { level: 'warn' })),
    );
    const workflows = { workflowBundle: bundle, sinks: spanSink(telemetry) };
    const { namespace, taskQueue, dataConverter } = common;
    const replayed = await replayOpenWorkflows({
      client: new Client({ connection, namespace, dataConverter }),
      taskQueue,
      replay: { ...workflows, dataConverter },
    });
    logger.info({ replayed }, 'open workflows agree with this build');
    return workflows;
  },
});
