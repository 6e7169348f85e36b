import { z } from 'zod';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { BaoClient, createPool, MlflowClient } from '../../lib/clients/index.ts';
import type { Pool } from '../../lib/clients/index.ts';
import { createPayloadCodec, Keyring, transitWrapper } from '../../lib/codec/index.ts';
import type { PayloadCodec } from '../../lib/codec/index.ts';
import { ConfigError } from '../../lib/config/index.ts';
import type { SaipConfig } from '../../lib/config/index.ts';

/** What the activities of a pool work with, under the one login of this process. */
export interface Resources {
  readonly config: SaipConfig;
  readonly bao: BaoClient;
  readonly codec: PayloadCodec;
  readonly store: ArtifactStore;
  readonly mlflow: MlflowClient;
  /** Asks OpenBao for the database login; pools that do not need the database never do. */
  readonly database: () => Promise<Pool>;
  readonly close: () => Promise<void>;
}

const Credentials = z.object({ username: z.string(), password: z.string() });

/** @throws ConfigError without a login for OpenBao */
export function openResources(config: SaipConfig): Resources {
  const bao = new BaoClient({ address: config.bao.address, loginFile: loginFile(config) });
  let pool: Promise<Pool> | undefined;
  const connect = async (): Promise<Pool> =>
    createPool(config, Credentials.parse(await bao.kvRead(`saip/postgres/${config.process}`)));
  return {
    config,
    bao,
    codec: createPayloadCodec({ keyring: new Keyring({ wrapper: transitWrapper(bao) }) }),
    store: new ArtifactStore({ root: config.artifacts }),
    mlflow: new MlflowClient({ url: config.mlflow.url }),
    database: () => (pool ??= connect()),
    async close() {
      await (await pool)?.end();
      await bao.close();
    },
  };
}

function loginFile({ bao, process }: SaipConfig): string {
  if (bao.loginFile !== undefined) return bao.loginFile;
  throw new ConfigError([{ setting: 'SAIP_BAO_LOGIN_FILE', message: `required by ${process}` }]);
}
