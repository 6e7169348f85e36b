import type { ApprovalClaims } from './approval.ts';
import type { ArtifactRef } from './reference.ts';
import type { Evidence, PolicyAnswer, ReleaseSummary, ReleaseVerification } from './release.ts';
import type { RunContext } from './run-context.ts';
import type { ReleaseInput } from './sign-and-release.ts';

/** A registered version and what is known about it. */
export interface CollectedEvidence {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  /** Path inside the model folder → bytes. */
  readonly files: Readonly<Record<string, ArtifactRef>>;
  /** Sigstore bundle of the registration. */
  readonly signature: ArtifactRef;
  readonly signatureValid: boolean;
  readonly withdrawn: boolean;
  readonly evidence: readonly Evidence[];
  /** One sentence for each thing that does not fit together. */
  readonly findings: readonly string[];
}

export interface BillOfMaterials {
  readonly ref: ArtifactRef;
  readonly components: number;
}

export interface ReleaseDecision {
  readonly answer: PolicyAnswer;
  /** {@link DecisionDocument}; its digest is what is approved. */
  readonly document: ArtifactRef;
}

/** Everything that a release is made of, as the stages before `sign` left it. */
export interface ReleaseDraft {
  readonly collected: CollectedEvidence;
  readonly platformBom: BillOfMaterials;
  readonly modelBom: BillOfMaterials;
  readonly decision: ReleaseDecision;
  /** The decision of a person, as the API signed it. */
  readonly approval?: { readonly jws: string; readonly claims: ApprovalClaims };
}

export interface SignedRelease {
  /** {@link ReleaseManifest} */
  readonly manifest: ArtifactRef;
  /** Sigstore bundle over the in-toto statement with SLSA provenance. */
  readonly provenance: ArtifactRef;
}

/** Activities of `signAndRelease` on the queue `saip-release`. Every one is idempotent in its arguments. */
export interface SignAndReleaseActivities {
  /** @throws RELEASE_EXISTS when the version was released before */
  collectEvidence(a: { input: ReleaseInput }): Promise<CollectedEvidence>;
  /** Catalogues the platform's lock files. The same checkout gives the same digest. */
  writePlatformBom(a: { run: RunContext }): Promise<BillOfMaterials>;
  writeModelBom(a: { collected: CollectedEvidence }): Promise<BillOfMaterials>;
  decideRelease(a: {
    input: ReleaseInput;
    collected: CollectedEvidence;
    platformBom: BillOfMaterials;
    modelBom: BillOfMaterials;
  }): Promise<ReleaseDecision>;
  /** Signs the model folder with the release key. @throws RELEASE_POLICY_DENIED, APPROVAL_INVALID */
  signRelease(a: { run: RunContext; draft: ReleaseDraft }): Promise<{ digest: string; signature: ArtifactRef }>;
  /** Writes and signs what the release consists of and how it came about. */
  writeProvenance(a: {
    run: RunContext;
    input: ReleaseInput;
    draft: ReleaseDraft;
    modelSignature: ArtifactRef;
    /** ISO 8601: start of the workflow, and the time of this stage. */
    startedAt: string;
    finishedAt: string;
  }): Promise<SignedRelease>;
  /** Puts the whole folder in place and makes the release known, or neither. @throws RELEASE_EXISTS */
  publishRelease(a: { run: RunContext; signed: SignedRelease }): Promise<ReleaseSummary & { files: number }>;
  /** Verifies the published folder in a fresh process that has public keys and nothing else. */
  verifyRelease(a: { model: string; version: string; manifestSha256: string }): Promise<ReleaseVerification>;
  /** Compensation: takes back what this run published. */
  withdrawRelease(a: { run: RunContext; model: string; version: string; reason: string }): Promise<void>;
  /** Shows the release in MLflow. */
  mirrorRelease(a: { model: string; version: string; manifestSha256: string }): Promise<void>;
}
