import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { Sha256 } from '../../contracts/reference.ts';
import { SupplyChainError } from './errors.ts';

/** Path inside the model folder (POSIX, relative) → lower-case hexadecimal SHA-256 of the file. */
export type FileDigests = Readonly<Record<string, string>>;

/** In-toto Statement v1, https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const PREDICATE_TYPE = 'https://model_signing/signature/v1.0';

/** Verifiers of the standard pass over these names at the top of a folder, so nothing may hide there. */
const IGNORED_BY_VERIFIERS = ['.git', '.gitattributes', '.github', '.gitignore'];

const Statement = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([z.object({ name: z.string(), digest: z.object({ sha256: Sha256 }) })]),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.object({
    serialization: z.object({ method: z.literal('files'), hash_type: z.literal('sha256') }),
    resources: z
      .array(z.object({ name: z.string(), algorithm: z.literal('sha256'), digest: Sha256 }))
      .min(1)
      .max(10_000),
  }),
});

/** What a signed statement says. */
export interface ModelStatement {
  readonly name: string;
  /** Root digest: SHA-256 over the raw file digests, ordered by path. Names the model as a whole. */
  readonly digest: string;
  readonly files: FileDigests;
}

/** Paths are compared segment by segment, as the reference implementation sorts them. */
function comparePaths(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const order = Buffer.compare(Buffer.from(left[i] ?? ''), Buffer.from(right[i] ?? ''));
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function isPlainPath(path: string): boolean {
  const segments = path.split('/');
  return (
    !/[\\\p{Cc}]/u.test(path) &&
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..') &&
    !IGNORED_BY_VERIFIERS.includes(segments[0] ?? '')
  );
}

function rootDigest(digests: readonly string[]): string {
  const hash = createHash('sha256');
  for (const digest of digests) hash.update(digest, 'hex');
  return hash.digest('hex');
}

/** Root digest of a model folder. */
export function modelDigest(files: FileDigests): string {
  return rootDigest(resourcesOf(files).map(({ digest }) => digest));
}

function resourcesOf(files: FileDigests): { name: string; algorithm: 'sha256'; digest: string }[] {
  return Object.entries(files)
    .sort(([a], [b]) => comparePaths(a, b))
    .map(([name, digest]) => ({ name, algorithm: 'sha256', digest: Sha256.parse(digest) }));
}

/**
 * In-toto statement of OpenSSF Model Signing v1.0 in RFC 8785 form: the same files give the same bytes.
 * Throws `SIGNATURE_INVALID` for a path that verifiers would read differently.
 */
export function encodeStatement(name: string, files: FileDigests): Buffer {
  for (const path of Object.keys(files)) {
    if (isPlainPath(path)) continue;
    throw new SupplyChainError('SIGNATURE_INVALID', `The path ${JSON.stringify(path)} cannot be signed.`, {
      field: path,
    });
  }
  const resources = resourcesOf(files);
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: rootDigest(resources.map(({ digest }) => digest)) } }],
    predicateType: PREDICATE_TYPE,
    predicate: { serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false }, resources },
  };
  return canonicalJson(statement);
}

/** RFC 8785. */
export function canonicalJson(value: object): Buffer {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('The value has no JSON form.');
  return Buffer.from(text);
}

/** Reads a statement whose signature was verified. Throws `SIGNATURE_INVALID`. */
export function decodeStatement(payload: Uint8Array): ModelStatement {
  const statement = parse(payload);
  const files = new Map<string, string>();
  for (const { name, digest } of statement.predicate.resources) {
    if (files.has(name) || !isPlainPath(name)) {
      throw new SupplyChainError('SIGNATURE_INVALID', `The statement names ${JSON.stringify(name)} wrongly.`, {
        field: name,
      });
    }
    files.set(name, digest);
  }
  const [subject] = statement.subject;
  const digest = subject.digest.sha256;
  if (rootDigest([...files.values()]) !== digest) {
    throw new SupplyChainError('SIGNATURE_INVALID', 'The root digest is not that of the files listed.');
  }
  return { name: subject.name, digest, files: Object.fromEntries(files) };
}

function parse(payload: Uint8Array): z.infer<typeof Statement> {
  try {
    return Statement.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch (error) {
    throw new SupplyChainError('SIGNATURE_INVALID', 'The signed statement is not a model signature.', { cause: error });
  }
}
