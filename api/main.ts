import { ConfigError, loadConfig } from '../lib/config/index.ts';
import { createLogger, createMetricsRegistry, startTelemetry } from '../lib/telemetry/index.ts';
import { composeApi } from './compose/index.ts';

/** sysexits.h, EX_CONFIG: starting again will not help. */
const EX_CONFIG = 78;

/** The API process: starts, serves until SIGTERM or SIGINT, drains. */
async function main(): Promise<void> {
  const config = loadConfig('api');
  const logger = createLogger('api', { level: config.logLevel });
  const telemetry = await startTelemetry({ config });
  const api = await composeApi({ config, logger, registry: createMetricsRegistry('api') });
  const port = await api.start();
  logger.info({ host: config.api.host, port, traces: telemetry.enabled }, 'the API answers');

  const stop = async (signal: NodeJS.Signals): Promise<void> => {
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
  process.once('SIGTERM', (signal) => void stop(signal));
  process.once('SIGINT', (signal) => void stop(signal));
}

main().catch((error: unknown) => {
  // A wrong setting is the operator's to mend: the list of them says more than a stack.
  const text = error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(error instanceof ConfigError ? EX_CONFIG : 1);
});
