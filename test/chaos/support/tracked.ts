import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MLFLOW_TAGS, MlflowClient } from '../../../lib/clients/index.ts';
import type { MlflowRun } from '../../../lib/clients/index.ts';
import type { ChaosStack } from './chaos-stack.ts';

const Digests = z.record(z.string(), z.string());
const History = z.object({ metrics: z.array(z.object({ step: z.coerce.number() })).default([]) });

/** What MLflow says. */
export class Tracked {
  readonly #mlflow: MlflowClient;

  constructor(stack: ChaosStack) {
    this.#mlflow = new MlflowClient({ url: stack.full.config('worker-cpu').mlflow.url });
  }

  experiment(name: string): Promise<string> {
    return this.#mlflow.runs.experiment(name);
  }

  runs(experimentId: string, workflowId: string): Promise<MlflowRun[]> {
    return this.#mlflow.runs.find(experimentId, { [MLFLOW_TAGS.runKey]: workflowId });
  }

  loggedModels(experimentId: string, workflowId: string): Promise<readonly unknown[]> {
    return this.#mlflow.loggedModels.find(experimentId, { [MLFLOW_TAGS.runKey]: workflowId });
  }

  /** Versions of a registered model with the digest that was signed. */
  async versions(model: string): Promise<{ version: string; digest: string | undefined }[]> {
    const found = await this.#mlflow.registeredModels.find(model, {});
    return found.map(({ version, tags }) => ({ version, digest: tags[MLFLOW_TAGS.digest] }));
  }

  aliases(model: string): Promise<Readonly<Record<string, string>>> {
    return this.#mlflow.registeredModels.aliases(model);
  }

  /** Files of a run that are not what its list of digests says: half-uploaded ones above all. */
  async damagedFiles(artifactUri: string): Promise<string[]> {
    const list = await this.#mlflow.artifacts.download(artifactUri, 'digests.json');
    const damaged: string[] = [];
    for (const [path, sha256] of Object.entries(Digests.parse(JSON.parse(list?.toString('utf8') ?? '{}')))) {
      const bytes = await this.#mlflow.artifacts.download(artifactUri, path);
      const found = createHash('sha256')
        .update(bytes ?? '')
        .digest('hex');
      if (found !== sha256) damaged.push(path);
    }
    return list === undefined ? ['digests.json'] : damaged;
  }
}

/** Points of the loss in MLflow; one that was logged twice counts twice. */
export async function lossPoints(stack: ChaosStack, runId: string): Promise<number> {
  const url = new URL(`${stack.full.config('worker-cpu').mlflow.url}/api/2.0/mlflow/metrics/get-history`);
  url.searchParams.set('run_id', runId);
  url.searchParams.set('metric_key', 'train/loss');
  url.searchParams.set('max_results', '10000');
  const { metrics } = History.parse(await (await fetch(url)).json());
  return metrics.length;
}
