import type { AttackEvidence, PolicyAnswer } from '../../contracts/release.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { MlflowClient, ModelRegistry, Releases } from '../../lib/clients/index.ts';
import type { TransitKeySet } from '../../lib/identity/index.ts';
import type { CompiledPolicy } from '../../lib/policy/index.ts';
import type { ReleaseStore } from '../../lib/release/index.ts';
import type { StatementSigner } from '../../lib/supplychain/index.ts';

/** The newest attack on exactly this model folder that ended with numbers; undefined when there was none. */
export type LatestAttackReport = (attacked: {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
}) => Promise<AttackEvidence | undefined>;

export interface ReleaseDependencies {
  readonly store: ArtifactStore;
  readonly registry: Pick<ModelRegistry, 'get'>;
  readonly releases: Releases;
  readonly folders: ReleaseStore;
  readonly mlflow: MlflowClient;
  readonly latestAttackReport: LatestAttackReport;
  /** The compiled policy `infra/policies/release`. */
  readonly policy: Pick<CompiledPolicy<PolicyAnswer>, 'evaluate' | 'sha256'>;
  /** Signs with the newest version of the transit key `releases`. */
  readonly signer: StatementSigner;
  /** PEM keys that registrations, and releases, are trusted by. */
  readonly modelKeys: () => Promise<readonly string[]>;
  readonly releaseKeys: () => Promise<readonly string[]>;
  /** Key set of the transit key `approvals`, and the public URL of the API, which signs approvals. */
  readonly approvals: { readonly keys: TransitKeySet; readonly issuer: string };
  /** Where the platform's own lock files and Syft are. */
  readonly platform: { readonly checkout: string; readonly syft: string | undefined };
  /** Runs `work` while no other attempt does under this name. */
  readonly lock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}
