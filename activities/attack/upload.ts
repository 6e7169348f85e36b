import type { AttackResult } from '../../contracts/attack-retest.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { MlflowClient } from '../../lib/clients/index.ts';

export interface UploadReportOptions {
  readonly mlflow: MlflowClient;
  readonly store: Pick<ArtifactStore, 'path'>;
  readonly artifactUri: string;
  readonly report: NonNullable<AttackResult['report']>;
}

/** Files of the report below `attack/`, each verified on its way. @throws MlflowError, ArtifactError */
export async function uploadReport({ mlflow, store, artifactUri, report }: UploadReportOptions): Promise<void> {
  const files: Record<string, ArtifactRef | undefined> = {
    'attack/report.json': report.json,
    'attack/report.md': report.markdown,
    'attack/example.png': report.picture,
  };
  for (const [path, ref] of Object.entries(files)) {
    if (ref === undefined) continue;
    await mlflow.artifacts.uploadFile(artifactUri, path, { ...ref, path: await store.path(ref) });
  }
}
