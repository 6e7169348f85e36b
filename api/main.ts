import { pino } from 'pino';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { ConfigError, loadConfig } from '../lib/config/index.ts';
import { composeApi } from './compose/index.ts';

/** The API process: starts, serves until SIGTERM or SIGINT, drains. */
async function main(): Promise<void> {
  const config = loadConfig('api');
  const logger = pino({ name: 'api', level: config.logLevel });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const api = await composeApi({ config, logger, registry });
  const port = await api.start();
  logger.info({ host: config.api.host, port }, 'The API answers.');

  const stop = (signal: NodeJS.Signals): void => {
    logger.info({ signal }, 'The API drains and stops.');
    api.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'The API did not stop in order.');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  // A wrong setting is the operator's to mend: the list of them says more than a stack.
  process.stderr.write(`${error instanceof ConfigError ? error.message : String((error as Error).stack ?? error)}\n`);
  process.exit(1);
});
