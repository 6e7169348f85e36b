import { cancellationSignal } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { MlflowClient, ModelRegistry } from '../../lib/clients/index.ts';
import { mirrorVersion, mirrorWithdrawal } from './mirror.ts';

export interface RegistryDependencies {
  readonly registry: Pick<ModelRegistry, 'register' | 'withdraw'>;
  readonly mlflow: MlflowClient;
  readonly store: Pick<ArtifactStore, 'path'>;
  /** Runs `work` while no other attempt does under this name. */
  readonly lock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

/** Versions: PostgreSQL holds the truth, MLflow mirrors it. */
export function createRegistryActivities({
  registry,
  mlflow,
  store,
  lock,
}: RegistryDependencies): Pick<CpuActivities, 'registerVersion' | 'mirrorVersion' | 'withdrawVersion'> {
  return {
    async registerVersion({ run, registerAs, mlflow: logged, signed, evaluated: { summary } }) {
      const stored = await registry.register({
        model: registerAs,
        digest: signed.digest,
        files: signed.files,
        signature: signed.signature,
        mlflowRunId: logged.runId,
        workflowId: run.key,
        metrics: Object.fromEntries(metricsOf(summary).map(({ name, interval }) => [name, interval.value])),
      });
      // What the first attempt registered: the signature of a later one is another.
      const { model, version, digest, files, signature } = stored;
      return { model, version, digest, files, signature };
    },

    async mirrorVersion({ run, mlflow: logged, registered }) {
      const client = mlflow.with(cancellationSignal());
      const stored = { ...registered, workflowId: run.key };
      await lock(`mlflow:model:${registered.model}`, () => mirrorVersion(client, { stored, logged, store }));
    },

    async withdrawVersion(withdrawal) {
      await registry.withdraw(withdrawal);
      await mirrorWithdrawal(mlflow.with(cancellationSignal()), withdrawal);
    },
  };
}
