import { cancellationSignal } from '@temporalio/activity';
import { AttackEvidence } from '../../contracts/release.ts';
import { MODEL_FILES, ModelFacts } from '../../contracts/registry.ts';
import { ImportFacts } from '../../contracts/import-model.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import type { CollectedEvidence, SignAndReleaseActivities } from '../../contracts/release-activities.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { MLFLOW_TAGS } from '../../lib/clients/index.ts';
import { DatasetCard } from '../../lib/datasets/index.ts';
import { modelBom, platformBom, ReleaseError } from '../../lib/release/index.ts';
import { collectEvidence } from './collect.ts';
import { decideRelease } from './decide.ts';
import type { ReleaseDependencies } from './dependencies.ts';
import { publishRelease, verifyPublished, withdrawRelease } from './publish.ts';
import { signRelease, writeProvenance } from './sign.ts';

export type { LatestAttackReport, ReleaseDependencies } from './dependencies.ts';

/** CycloneDX as JSON. */
const BOM_MEDIA_TYPE = 'application/vnd.cyclonedx+json';

/** Activities of `signAndRelease`, on the pool whose login alone may sign. */
export function createReleaseActivities(dependencies: ReleaseDependencies): SignAndReleaseActivities {
  const { store, mlflow, platform } = dependencies;
  return {
    collectEvidence: ({ input }) =>
      collectEvidence(input, { ...dependencies, mlflow: mlflow.with(cancellationSignal()) }),

    async writePlatformBom() {
      const { bom, components } = await platformBom({ ...platform, signal: cancellationSignal() });
      return { ref: await putBom(bom), components };
    },

    async writeModelBom({ collected }) {
      const { bom, components } = modelBom({ ...collected, ...(await contentsOf(collected)) });
      return { ref: await putBom(bom), components };
    },

    decideRelease: (a) => decideRelease(a, dependencies),
    signRelease: (a) => signRelease(a, dependencies),
    writeProvenance: (a) => writeProvenance(a, dependencies),
    publishRelease: ({ run, signed }) => publishRelease(run, signed, { ...dependencies, signal: cancellationSignal() }),
    verifyRelease: (a) => verifyPublished(a, { ...dependencies, signal: cancellationSignal() }),
    withdrawRelease: (a) => withdrawRelease(a, dependencies),

    async mirrorRelease({ model, version, manifestSha256 }) {
      const client = mlflow.with(cancellationSignal());
      const [mirrored] = await client.registeredModels.find(model, { [MLFLOW_TAGS.version]: version });
      if (mirrored === undefined) return;
      await client.registeredModels.setVersionTag(model, mirrored.version, MLFLOW_TAGS.release, manifestSha256);
    },
  };

  async function putBom(bom: unknown): Promise<ArtifactRef> {
    return { ...(await store.putJson(bom)), mediaType: BOM_MEDIA_TYPE };
  }

  async function contentsOf({ files, evidence }: CollectedEvidence): Promise<{
    facts: ModelFacts;
    origin: ModelConfig | ImportFacts;
    card: DatasetCard;
    attack: AttackEvidence | undefined;
  }> {
    const { [MODEL_FILES.facts]: facts, [MODEL_FILES.card]: card } = files;
    const { [MODEL_FILES.config]: config, [MODEL_FILES.import]: imported } = files;
    const origin = config ?? imported;
    if (facts === undefined || origin === undefined || card === undefined) {
      throw new ReleaseError('RELEASE_EVIDENCE_MISSING', 'The version has no facts, network or data card.');
    }
    const attack = evidence.find(({ kind }) => kind === 'attackReport');
    return {
      facts: await store.readJson(facts, ModelFacts),
      origin: await store.readJson<ModelConfig | ImportFacts>(origin, config === undefined ? ImportFacts : ModelConfig),
      card: await store.readJson(card, DatasetCard),
      attack: attack && (await store.readJson(attack.ref, AttackEvidence)),
    };
  }
}
