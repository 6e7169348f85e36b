import type { MlflowClient } from './client.ts';
import { MLFLOW_TAGS } from './tags.ts';

/**
 * Makes MLflow's alias mean what the alias log says; `version` (the platform's number) absent takes it away.
 * @returns false when MLflow does not know the version: the log stays the truth, and nothing is mirrored
 * @throws MlflowError
 */
export async function mirrorAlias(
  client: MlflowClient,
  a: { readonly model: string; readonly alias: string; readonly version: string | undefined },
): Promise<boolean> {
  if (a.version === undefined) {
    // MLflow refuses to take an alias away from a model that it does not know.
    if (a.alias in (await client.registeredModels.aliases(a.model))) {
      await client.registeredModels.deleteAlias(a.model, a.alias);
    }
    return true;
  }
  const [mirrored] = await client.registeredModels.find(a.model, { [MLFLOW_TAGS.version]: a.version });
  if (mirrored === undefined) return false;
  await client.registeredModels.setAlias(a.model, a.alias, mirrored.version);
  return true;
}
