import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { MODEL_FILES } from '../../../contracts/registry.ts';
import { ArtifactStore } from '../../../lib/artifacts/index.ts';
import { AliasLog, ModelRegistry, createPool, type StoredVersion } from '../../../lib/clients/index.ts';
import { loadConfig } from '../../../lib/config/index.ts';
import { BUNDLE_MEDIA_TYPE, signModel, transitSigner } from '../../../lib/supplychain/index.ts';
import { stackBao } from '../../support/stack-bao.ts';
import { stackEnv } from '../../support/stack.ts';

export interface TestRegistry {
  /** Signs and registers a graph as the release and CPU pools do. */
  register(model: string, onnx: Uint8Array): Promise<StoredVersion>;
  /** Lets an alias mean a version; `undefined` takes it away. */
  alias(model: string, alias: string, version: string | undefined): Promise<void>;
  readonly registry: ModelRegistry;
  readonly store: ArtifactStore;
  close(): Promise<void>;
}

const Credentials = z.object({ username: z.string(), password: z.string() });

/** Writes to the stack's registry and alias log with the logins of the workers. */
export async function openRegistry(): Promise<TestRegistry> {
  const config = loadConfig('worker-cpu', stackEnv('worker-cpu'));
  const cpu = stackBao('worker-cpu');
  const release = stackBao('worker-release');
  const pool = createPool(config, Credentials.parse(await cpu.kvRead('saip/postgres/worker-cpu')));
  const store = new ArtifactStore({ root: config.artifacts });
  const registry = new ModelRegistry(pool);
  const aliases = new AliasLog(pool);
  return {
    registry,
    store,
    register: async (model, onnx) => {
      const files = {
        [MODEL_FILES.onnx]: await store.put(onnx, { mediaType: 'application/octet-stream' }),
        [MODEL_FILES.config]: await store.putJson({ name: model }),
      };
      const digests = Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256]));
      const { digest, bundle } = await signModel({ name: model, files: digests, signer: transitSigner(release) });
      return registry.register({
        model,
        digest,
        files,
        signature: await store.put(Buffer.from(bundle), { mediaType: BUNDLE_MEDIA_TYPE }),
        mlflowRunId: 'none',
        workflowId: `test-${randomUUID()}`,
        metrics: { accuracy: 1 },
      });
    },
    alias: async (model, alias, version) => {
      const change = { model, alias, version, workflowId: 'test', actor: 'test', reason: 'test' };
      await aliases.append({ ...change, operationId: randomUUID() });
    },
    close: async () => {
      await pool.end();
      await cpu.close();
      await release.close();
    },
  };
}
