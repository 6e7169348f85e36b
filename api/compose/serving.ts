import { ArtifactStore } from '../../lib/artifacts/index.ts';
import {
  AliasLog,
  MlflowClient,
  ModelRegistry,
  ServingStatus,
  ServingSwitches,
  listenAliases,
  type BaoClient,
  type DatabaseCredentials,
  type Pool,
} from '../../lib/clients/index.ts';
import type { SaipConfig } from '../../lib/config/index.ts';
import type { Logger } from '../http/error-handler.ts';
import { MlflowFiles, ModelSource, ServingService } from '../serving/index.ts';

export interface ServingParts {
  readonly config: SaipConfig;
  readonly logger: Logger;
  readonly bao: BaoClient;
  readonly pool: Pool;
  readonly credentials: DatabaseCredentials;
}

/** The data plane: follows the alias log in PostgreSQL, verifies with the keys in OpenBao. */
export function composeServing({ config, logger, bao, pool, credentials }: ServingParts): ServingService {
  const source = new ModelSource({
    store: new ArtifactStore({ root: config.artifacts }),
    remote: new MlflowFiles(new MlflowClient({ url: config.mlflow.url })),
    publicKeys: async () => (await bao.transitPublicKeys('models')).keys.map(({ pem }) => pem),
  });
  return new ServingService({
    source,
    registry: new ModelRegistry(pool),
    aliases: new AliasLog(pool),
    switches: new ServingSwitches(pool),
    status: new ServingStatus(pool),
    listen: (onChange) =>
      listenAliases({
        config,
        credentials,
        onChange,
        onError: (error) => {
          logger.warn({ err: error }, 'The channel of alias changes is interrupted; the log is read in intervals.');
        },
      }),
    logger,
    settings: config.serving,
    batching: {
      mode: config.serving.batching,
      rows: config.serving.batchRows,
      delay: config.serving.batchDelay,
      queue: config.serving.queue,
    },
  });
}
