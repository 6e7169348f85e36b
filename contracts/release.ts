import { z } from 'zod';
import { ArtifactRef, Name, Sha256 } from './reference.ts';
import { MetricInterval } from './train-register-deploy.ts';

/** The number of a registered version, as the API writes it. */
export const VersionNumber = z.string().regex(/^[1-9]\d{0,8}$/, 'the number of a version');

/** What the intended use of a released model puts at stake, as its requester judges it; policy may raise it. */
export const ReleaseRisk = z.enum(['low', 'medium', 'high']);
export type ReleaseRisk = z.infer<typeof ReleaseRisk>;

/** Paths inside a release folder. What is not listed here lies below `model/`, under the path it was signed with. */
export const RELEASE_FILES = {
  manifest: 'release.json',
  model: 'model/',
  lineage: 'evidence/lineage.json',
  attackReport: 'evidence/attack-report.json',
  registration: 'evidence/registration.sigstore.json',
  platformBom: 'bom/platform.cdx.json',
  modelBom: 'bom/model.cdx.json',
  decision: 'policy/decision.json',
  keys: 'keys/release.pem',
  modelSignature: 'signatures/model.sigstore.json',
  provenance: 'signatures/provenance.sigstore.json',
} as const;

/** A path inside a release folder: it leads nowhere else. */
export const ReleasePath = z
  .string()
  .max(255)
  .regex(/^(?!\.\.?(?:\/|$))[\w.-]+(?:\/(?!\.\.?(?:\/|$))[\w.-]+)*$/, 'a path inside the release folder');

export const EVIDENCE_KINDS = ['dataCard', 'metrics', 'lineage', 'attackReport'] as const;
export const EvidenceKind = z.enum(EVIDENCE_KINDS);
export type EvidenceKind = z.infer<typeof EvidenceKind>;

/** One piece of evidence: what it is, where its bytes are, and where they lie in the release folder. */
export const Evidence = z.strictObject({
  kind: EvidenceKind,
  path: ReleasePath,
  ref: ArtifactRef,
});
export type Evidence = z.infer<typeof Evidence>;

const AttackedAccuracy = z.strictObject({ epsilon: z.number(), accuracy: MetricInterval });

/** The newest attack on a version that ended with numbers; whether they are good enough is for the policy to say. */
export const AttackEvidence = z.strictObject({
  workflowId: z.string(),
  /** Root digest of the model folder that was attacked. */
  digest: Sha256,
  /** ISO 8601. */
  measuredAt: z.string(),
  samples: z.int().min(1),
  clean: MetricInterval,
  /** Accuracy on the samples that no attack at this strength, or a smaller one, broke. */
  worst: z.array(AttackedAccuracy).min(1),
  /** Which attacks, how strong, and on what: as the measurement was configured. */
  measurement: z.record(z.string(), z.unknown()),
});
export type AttackEvidence = z.infer<typeof AttackEvidence>;

/** Where a version comes from: what the registry, the signed facts and the tracked run agree about. */
export const Lineage = z.strictObject({
  schema: z.literal(1),
  model: Name,
  version: VersionNumber,
  digest: Sha256,
  registered: z.strictObject({ at: z.string(), workflowId: z.string(), signatureSha256: Sha256 }),
  training: z.strictObject({
    mlflowRunId: z.string(),
    /** ISO 8601. */
    startedAt: z.string(),
    endedAt: z.string().optional(),
    /** Commit of the code that trained, `-dirty` appended for local changes; `unknown` outside a checkout. */
    gitCommit: z.string(),
    /** Everything else that one must know to train the same weights again. */
    tags: z.record(z.string(), z.string()),
  }),
  data: z.strictObject({
    dataset: Name,
    cardSha256: Sha256,
    dataSha256: Sha256,
    files: z.array(z.strictObject({ name: z.string(), sha256: Sha256, bytes: z.int().nonnegative() })).min(1),
  }),
});
export type Lineage = z.infer<typeof Lineage>;

/** Answer of the policy `saip/release/decision`. `rule` names what decided: `allow`, `approval:<why>`, `deny:<why>`. */
export const PolicyAnswer = z.strictObject({
  allow: z.boolean(),
  requireApproval: z.boolean(),
  reasons: z.array(z.string()),
  rule: z.string(),
});
export type PolicyAnswer = z.infer<typeof PolicyAnswer>;

/** A bill of materials as policy sees it. */
const BomFacts = z.strictObject({ sha256: Sha256, components: z.int().nonnegative() });

/** What the release policy decides about. */
export const PolicyInput = z.strictObject({
  request: z.strictObject({
    requestedBy: z.string(),
    risk: ReleaseRisk,
    requireAttackReport: z.boolean(),
    requireApproval: z.boolean(),
    notes: z.string().optional(),
  }),
  version: z.strictObject({
    model: Name,
    version: VersionNumber,
    digest: Sha256,
    withdrawn: z.boolean(),
    signatureValid: z.boolean(),
  }),
  /** What does not fit together in the evidence. */
  findings: z.array(z.string()),
  evidence: z.strictObject({
    dataCard: z.strictObject({ sha256: Sha256, licenses: z.array(z.string()) }).optional(),
    metrics: z
      .strictObject({ sha256: Sha256, samples: z.int(), values: z.record(z.string(), MetricInterval) })
      .optional(),
    lineage: z.strictObject({ sha256: Sha256, gitCommit: z.string() }).optional(),
    attackReport: z.strictObject({ sha256: Sha256, digest: Sha256, worst: z.array(AttackedAccuracy) }).optional(),
  }),
  boms: z.strictObject({ platform: BomFacts, model: BomFacts }),
});
export type PolicyInput = z.infer<typeof PolicyInput>;

/** `policy/decision.json`: its digest is what an approver approves. */
export const DecisionDocument = z.strictObject({
  schema: z.literal(1),
  policy: z.strictObject({ entrypoint: z.literal('saip/release/decision'), sha256: Sha256 }),
  input: PolicyInput,
  answer: PolicyAnswer,
});
export type DecisionDocument = z.infer<typeof DecisionDocument>;

const ReleasedFile = z.strictObject({
  sha256: Sha256,
  bytes: z.int().nonnegative(),
  mediaType: z.string().min(1).max(255),
});

/** `release.json`: what the release consists of. The signed provenance names its digest and that of every file. */
export const ReleaseManifest = z.strictObject({
  schema: z.literal(1),
  model: Name,
  version: VersionNumber,
  /** Root digest of the model folder (OpenSSF Model Signing). */
  digest: Sha256,
  risk: ReleaseRisk,
  notes: z.string().optional(),
  requestedBy: z.string(),
  workflow: z.strictObject({ workflowId: z.string(), runId: z.string() }),
  policy: z.strictObject({ rule: z.string(), reasons: z.array(z.string()) }),
  /** Who agreed, where policy or the requester asked for another person. */
  approval: z
    .strictObject({ by: z.string(), at: z.string(), jti: z.string(), comment: z.string().optional() })
    .optional(),
  evidence: z.array(z.strictObject({ kind: EvidenceKind, path: ReleasePath })),
  /** Path → file: everything but this manifest and the provenance. */
  files: z.record(ReleasePath, ReleasedFile),
});
export type ReleaseManifest = z.infer<typeof ReleaseManifest>;

/** A published release as the platform lists it. */
export const ReleaseSummary = z.strictObject({
  model: Name,
  version: VersionNumber,
  digest: Sha256,
  manifestSha256: Sha256,
  workflowId: z.string(),
  requestedBy: z.string(),
  approvedBy: z.string().optional(),
  publishedAt: z.string(),
});
export type ReleaseSummary = z.infer<typeof ReleaseSummary>;

/** What a verification of a release folder found. */
export const ReleaseVerification = z.strictObject({
  model: Name,
  version: VersionNumber,
  digest: Sha256,
  manifestSha256: Sha256,
  /** SHA-256 of the PEM of the key that signed. */
  key: Sha256,
  builder: z.string(),
  workflowId: z.string(),
  approvedBy: z.string().optional(),
  files: z.int(),
  checks: z.array(z.strictObject({ name: z.string(), detail: z.string() })),
});
export type ReleaseVerification = z.infer<typeof ReleaseVerification>;
