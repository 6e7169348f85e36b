import { cancellationSignal } from '@temporalio/activity';
import type { CpuActivities, RegisteredVersion } from '../../contracts/activities.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import { ArtifactError } from '../../lib/artifacts/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type {
  AliasLog,
  LineageLog,
  MlflowClient,
  ModelRegistry,
  StoredVersion,
  Withdrawal,
} from '../../lib/clients/index.ts';
import { mirrorVersion, mirrorWithdrawal } from './mirror.ts';

export interface RegistryDependencies {
  readonly registry: Pick<ModelRegistry, 'register' | 'withdraw' | 'get' | 'circulating'>;
  readonly aliases: Pick<AliasLog, 'current'>;
  readonly lineage: Pick<LineageLog, 'append'>;
  readonly mlflow: MlflowClient;
  readonly store: Pick<ArtifactStore, 'path'>;
  /** Runs `work` while no other attempt does under this name. */
  readonly lock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

/** Versions: PostgreSQL holds the truth, MLflow mirrors it. */
export function createRegistryActivities({
  registry,
  aliases,
  lineage: lineages,
  mlflow,
  store,
  lock,
}: RegistryDependencies): Pick<
  CpuActivities,
  'registerVersion' | 'unchangedChampion' | 'mirrorVersion' | 'withdrawVersion' | 'withdrawRegistration'
> {
  return {
    async registerVersion({ run, registerAs, mlflow: logged, signed, evaluated: { summary }, lineage }) {
      const stored = await registry.register({
        model: registerAs,
        digest: signed.digest,
        files: signed.files,
        signature: signed.signature,
        mlflowRunId: logged.runId,
        workflowId: run.key,
        metrics: Object.fromEntries(metricsOf(summary).map(({ name, interval }) => [name, interval.value])),
      });
      if (lineage !== undefined) await lineages.append(stored, lineage);
      // What the first attempt registered: the signature of a later one is another.
      return registeredVersion(stored);
    },

    async unchangedChampion({ registerAs, digest, lineage }) {
      const champion = await aliases.current(registerAs, 'champion');
      if (champion?.version === undefined || champion.digest !== digest) return undefined;
      const stored = await registry.get(registerAs, champion.version);
      if (stored.withdrawn !== undefined || stored.digest !== digest || !(await isWhole(stored, store)))
        return undefined;
      await lineages.append(stored, lineage);
      return registeredVersion(stored);
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

function registeredVersion({ model, version, digest, files, signature }: StoredVersion): RegisteredVersion {
  return { model, version, digest, files, signature };
}

/** A version whose files are gone or changed cannot be served: the run registers the same bytes anew. */
async function isWhole({ files, signature }: StoredVersion, store: Pick<ArtifactStore, 'path'>): Promise<boolean> {
  try {
    for (const ref of [...Object.values(files), signature]) await store.path(ref);
    return true;
  } catch (error) {
    if (error instanceof ArtifactError) return false;
    throw error;
  }
}
