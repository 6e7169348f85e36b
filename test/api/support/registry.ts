import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createRegistryActivities } from '../../../activities/registry/index.ts';
import type { ArtifactRef } from '../../../contracts/reference.ts';
import { MODEL_FILES } from '../../../contracts/registry.ts';
import { ArtifactStore } from '../../../lib/artifacts/index.ts';
import {
  AliasLog,
  ExtractionLog,
  LineageLog,
  MLFLOW_TAGS,
  MlflowClient,
  ModelRegistry,
  createPool,
  type StoredVersion,
} from '../../../lib/clients/index.ts';
import { loadConfig } from '../../../lib/config/index.ts';
import { BUNDLE_MEDIA_TYPE, signModel, transitSigner } from '../../../lib/supplychain/index.ts';
import { inActivity } from '../../activities/support/in-activity.ts';
import { stackBao } from '../../support/stack-bao.ts';
import { stackEnv } from '../../support/stack.ts';

export interface TestRegistry {
  /** Signs and registers a graph as the release and CPU pools do. */
  register(model: string, onnx: Uint8Array): Promise<StoredVersion>;
  /** The same, and shows the version in MLflow as the CPU pool does. */
  mirrored(model: string, onnx: Uint8Array): Promise<{ version: string; graph: ArtifactRef }>;
  /** Lets an alias mean a version; `undefined` takes it away. */
  alias(model: string, alias: string, version: string | undefined): Promise<void>;
  readonly registry: ModelRegistry;
  readonly extractions: ExtractionLog;
  readonly store: ArtifactStore;
  close(): Promise<void>;
}

const Credentials = z.object({ username: z.string(), password: z.string() });

/**
 * Writes to the stack's registry and alias log with the logins of the workers.
 * @param env settings that differ from those of the stack's worker
 */
export async function openRegistry(env: Record<string, string> = {}): Promise<TestRegistry> {
  const config = loadConfig('worker-cpu', { ...stackEnv('worker-cpu'), ...env });
  const cpu = stackBao('worker-cpu');
  const release = stackBao('worker-release');
  const pool = createPool(config, Credentials.parse(await cpu.kvRead('saip/postgres/worker-cpu')));
  const store = new ArtifactStore({ root: config.artifacts });
  const registry = new ModelRegistry(pool);
  const aliases = new AliasLog(pool);
  const mlflow = new MlflowClient({ url: config.mlflow.url });

  async function register(model: string, onnx: Uint8Array, run = { id: 'none', key: `test-${randomUUID()}` }) {
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
      mlflowRunId: run.id,
      workflowId: run.key,
      metrics: { accuracy: 1 },
    });
  }

  return {
    registry,
    extractions: new ExtractionLog(pool),
    store,
    register: (model, onnx) => register(model, onnx),
    mirrored: async (model, onnx) => {
      const key = `test-${randomUUID()}`;
      const identity = { [MLFLOW_TAGS.runKey]: key };
      const experimentId = await mlflow.runs.experiment(`test/${model}`);
      const { runId } = await mlflow.runs.ensure({
        experimentId,
        name: key,
        user: 'test',
        startTime: Date.now(),
        identity,
      });
      await mlflow.loggedModels.ensure({ experimentId, name: model, type: 'onnx', sourceRunId: runId, identity });
      const stored = await register(model, onnx, { id: runId, key });
      const { mirrorVersion } = createRegistryActivities({
        registry,
        aliases,
        lineage: new LineageLog(pool),
        mlflow,
        store,
        lock: (_, work) => work(),
      });
      const run = { key, runId: 'test', requestedBy: 'test' };
      await inActivity(mirrorVersion, { run, mlflow: { experimentId, runId }, registered: stored });
      const graph = stored.files[MODEL_FILES.onnx];
      if (!graph) throw new Error('the version has no graph');
      return { version: stored.version, graph };
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
