import cluster from 'node:cluster';
import { ConfigError, loadConfig, type SaipConfig } from '../lib/config/index.ts';
import { createLogger, createMetricsRegistry, startTelemetry, type Logger } from '../lib/telemetry/index.ts';
import { Primary, joinProcesses } from './processes/index.ts';

/** sysexits.h, EX_CONFIG: starting again will not help. */
const EX_CONFIG = 78;

/** The API: starts, serves until SIGTERM or SIGINT, drains. With several processes, the first only starts the others. */
async function main(): Promise<void> {
  const config = loadConfig('api');
  const logger = createLogger('api', { level: config.logLevel });
  if (config.api.processes > 1 && cluster.isPrimary) startProcesses(config, logger);
  else await serve(config, logger);
}

function startProcesses(config: SaipConfig, logger: Logger): void {
  const { processes: count } = config.api;
  const primary = new Primary({ count, logger, onEnd: (code) => process.exit(code) });
  primary.start();
  logger.info({ processes: count }, 'the API starts');
  process.on('SIGTERM', () => primary.stop());
  process.on('SIGINT', () => primary.stop());
}

async function serve(config: SaipConfig, logger: Logger): Promise<void> {
  // Most of the code: a process that only starts others does without.
  const { composeApi } = await import('./compose/index.ts');
  const telemetry = await startTelemetry({ config });
  const registry = createMetricsRegistry('api');
  const member = cluster.isWorker ? joinProcesses(registry) : undefined;
  const api = await composeApi({ config, logger, registry, member });
  const port = await api.start();
  logger.info({ host: config.api.host, port, traces: telemetry.enabled }, 'the API answers');

  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    // A terminal sends its signal to every process of a group, and so does the process that started this one.
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'the API drains');
    try {
      await api.stop();
      await telemetry.shutdown();
      process.exit(0);
    } catch (error) {
      logger.error({ err: error }, 'the API did not stop in order');
      process.exit(1);
    }
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}

main().catch((error: unknown) => {
  // A wrong setting is the operator's to mend: the list of them says more than a stack.
  const text = error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(error instanceof ConfigError ? EX_CONFIG : 1);
});
