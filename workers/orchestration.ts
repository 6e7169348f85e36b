import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { temporalLogger } from './shared/logger.ts';
import { workflowBundle } from './shared/bundle.ts';
import { replayOpenWorkflows } from './shared/replay-check.ts';
import { dataConverter, markUndecryptable } from './shared/data-converter.ts';
import { runPool } from './shared/run-pool.ts';
import { spanSink } from './shared/spans.ts';

/** Workflows only: it decides, and does nothing itself. */
await runPool({
  pool: 'orchestration',
  options: async ({ config, resources, connection, logger, telemetry, common }) => {
    const bundle = await workflowBundle(
      join(config.home, 'cache', 'workflows'),
      temporalLogger(logger.child({}, { level: 'warn' })),
    );
    const workflows = {
      workflowBundle: bundle,
      sinks: spanSink(telemetry),
      dataConverter: dataConverter(markUndecryptable(resources.codec)),
    };
    const { namespace, taskQueue } = common;
    // Lists hold memos, which are payloads too.
    const client = new Client({ connection, namespace, dataConverter: workflows.dataConverter });
    const replayed = await replayOpenWorkflows({ client, taskQueue, replay: workflows });
    logger.info({ replayed }, 'open workflows agree with this build');
    return workflows;
  },
});
