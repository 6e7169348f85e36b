import { z } from 'zod';
import { Sha256 } from '../../contracts/reference.ts';
import { SupplyChainError } from './errors.ts';
import { canonicalJson, STATEMENT_TYPE, type FileDigests } from './statement.ts';

/** SLSA Provenance v1, https://slsa.dev/spec/v1.0/provenance */
export const PROVENANCE_TYPE = 'https://slsa.dev/provenance/v1';

const Digests = z.record(z.string(), z.string());

/** In-toto resource descriptor: at least one of `uri` and `digest` says what it is. */
const ResourceDescriptor = z
  .object({
    uri: z.string().optional(),
    name: z.string().optional(),
    digest: Digests.optional(),
    annotations: z.record(z.string(), z.unknown()).optional(),
  })
  .refine(({ uri, digest }) => uri !== undefined || digest !== undefined, 'needs a uri or a digest');
export type ResourceDescriptor = z.infer<typeof ResourceDescriptor>;

const Provenance = z.object({
  buildDefinition: z.object({
    buildType: z.string(),
    externalParameters: z.record(z.string(), z.unknown()),
    internalParameters: z.record(z.string(), z.unknown()).optional(),
    resolvedDependencies: z.array(ResourceDescriptor),
  }),
  runDetails: z.object({
    builder: z.object({ id: z.string(), version: z.record(z.string(), z.string()).optional() }),
    metadata: z.object({
      invocationId: z.string(),
      startedOn: z.iso.datetime({ offset: true }),
      finishedOn: z.iso.datetime({ offset: true }),
    }),
    byproducts: z.array(ResourceDescriptor).optional(),
  }),
});
export type Provenance = z.infer<typeof Provenance>;

const Statement = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z
    .array(z.object({ name: z.string().min(1), digest: z.object({ sha256: Sha256 }) }))
    .min(1)
    .max(10_000),
  predicateType: z.literal(PROVENANCE_TYPE),
  predicate: Provenance,
});

/** What a signed provenance says. */
export interface ProvenanceStatement {
  /** Path → digest of each file it is about. */
  readonly subjects: FileDigests;
  readonly provenance: Provenance;
}

/** In-toto statement with SLSA provenance about `subjects`, in RFC 8785 form: equal contents give equal bytes. */
export function encodeProvenance({ subjects, provenance }: ProvenanceStatement): Buffer {
  const subject = Object.entries(subjects)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, sha256]) => ({ name, digest: { sha256 } }));
  const statement = { _type: STATEMENT_TYPE, subject, predicateType: PROVENANCE_TYPE, predicate: provenance };
  return canonicalJson(Statement.parse(statement));
}

/** Reads a statement whose signature was verified. Throws `SIGNATURE_INVALID` when it is no provenance. */
export function decodeProvenance(payload: Uint8Array): ProvenanceStatement {
  let statement: z.infer<typeof Statement>;
  try {
    statement = Statement.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch (cause) {
    throw new SupplyChainError('SIGNATURE_INVALID', 'The signed statement is not SLSA provenance.', { cause });
  }
  const subjects = new Map<string, string>();
  for (const { name, digest } of statement.subject) {
    if (subjects.has(name)) {
      throw new SupplyChainError('SIGNATURE_INVALID', `The provenance names ${JSON.stringify(name)} twice.`, {
        field: name,
      });
    }
    subjects.set(name, digest.sha256);
  }
  return { subjects: Object.fromEntries(subjects), provenance: statement.predicate };
}
