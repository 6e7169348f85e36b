import { cancellationSignal } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { MlflowClient, ModelRegistry, Withdrawal } from '../../lib/clients/index.ts';
import { mirrorVersion, mirrorWithdrawal } from './mirror.ts';

export interface RegistryDependencies {
  readonly registry: Pick<ModelRegistry, 'register' | 'withdraw' | 'circulating'>;
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
}: RegistryDependencies): Pick<
  CpuActivities,
  'registerVersion' | 'mirrorVersion' | 'withdrawVersion' | 'withdrawRegistration'
> {
  return {
    async registerVersion({ run, registerAs, mlflow: logged, signed, evaluated: { summary } }) {
      const stored = await registry.register({
        model: registerAs,
        digest: signed.digest,
        files: signed.files,
        signature: signed.signature,
        mlflowRunId: logged.runId,
        workflowId: run.key,
        metrics: {
          accuracy: summary.accuracy.value,
          macroF1: summary.macroF1.value,
          logLoss: summary.logLoss.value,
          ece: summary.ece.value,
        },
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

    withdrawVersion: withdraw,

    async withdrawRegistration({ run, model, reason }) {
      for (const { version } of await registry.circulating(model, run.key)) await withdraw({ model, version, reason });
    },
  };

  async function withdraw(withdrawal: Withdrawal): Promise<void> {
    await registry.withdraw(withdrawal);
    await mirrorWithdrawal(mlflow.with(cancellationSignal()), withdrawal);
  }
}
