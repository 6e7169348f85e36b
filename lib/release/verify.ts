import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { RELEASE_FILES, ReleaseManifest, type ReleaseVerification } from '../../contracts/release.ts';
import {
  decodeProvenance,
  hashModelFolder,
  openStatement,
  SupplyChainError,
  verifyModel,
  type FileDigests,
  type ProvenanceStatement,
} from '../supplychain/index.ts';
import { ReleaseError } from './errors.ts';
import { BUILD_TYPE, BUILDER_ID } from './provenance.ts';
import { checkBoms, checkDecision, checkEvidence, type Check, type ReleaseReader } from './checks.ts';

export interface VerifyReleaseOptions {
  readonly folder: string;
  /** PEM keys that the caller trusts; those in the folder count for nothing. */
  readonly publicKeys: readonly string[];
  /** Builder that the provenance must name. */
  readonly builder?: string;
}

/**
 * Verifies a release folder without any server: who signed it, that it holds exactly the files that were signed, and
 * that evidence, bills of materials and the policy's answer belong together.
 *
 * @throws ReleaseError RELEASE_KEY_UNTRUSTED, RELEASE_DIGEST_MISMATCH, RELEASE_EVIDENCE_MISSING, RELEASE_POLICY_DENIED,
 * RELEASE_INVALID, RELEASE_UNKNOWN; SupplyChainError SIGNATURE_MISSING, SIGNATURE_INVALID
 */
export async function verifyRelease(options: VerifyReleaseOptions): Promise<ReleaseVerification> {
  const { folder, publicKeys, builder = BUILDER_ID } = options;
  const { [RELEASE_FILES.provenance]: bundle, ...present } = await digestsOf(folder);
  const { statement, key } = await openProvenance(folder, bundle, publicKeys);
  checkBuilder(statement, builder);
  compareFiles(statement.subjects, present);
  const read = reader(folder, present);
  const manifest = await read(RELEASE_FILES.manifest, ReleaseManifest);
  checkManifest(manifest, statement);
  const signed = await checkModelSignature({ folder, manifest, present, publicKeys });
  const checks: Check[] = [
    { name: 'provenance', detail: `signed by ${key}, built by ${builder}` },
    { name: 'files', detail: `${Object.keys(present).length + 1} files, none changed, none missing, none too many` },
    { name: 'model', detail: `OpenSSF signature over ${signed} files, digest ${manifest.digest}` },
    checkEvidence(manifest),
    await checkDecision(manifest, read),
    await checkBoms(manifest, read),
  ];
  return {
    model: manifest.model,
    version: manifest.version,
    digest: manifest.digest,
    manifestSha256: present[RELEASE_FILES.manifest] ?? '',
    key,
    builder,
    workflowId: manifest.workflow.workflowId,
    ...(manifest.approval && { approvedBy: manifest.approval.by }),
    files: Object.keys(present).length + 1,
    checks,
  };
}

async function digestsOf(folder: string): Promise<Record<string, string>> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
    throw new ReleaseError('RELEASE_UNKNOWN', `${folder} is not a folder.`);
  }
  try {
    return { ...(await hashModelFolder(folder)) };
  } catch (error) {
    if (!(error instanceof SupplyChainError)) throw error;
    throw new ReleaseError('RELEASE_DIGEST_MISMATCH', error.message, { cause: error, field: error.field });
  }
}

async function openProvenance(
  folder: string,
  sha256: string | undefined,
  publicKeys: readonly string[],
): Promise<{ statement: ProvenanceStatement; key: string }> {
  const bytes = sha256 === undefined ? undefined : await readFile(join(folder, RELEASE_FILES.provenance));
  try {
    const { payload, key } = openStatement(bytes, publicKeys);
    return { statement: decodeProvenance(payload), key };
  } catch (error) {
    if (!(error instanceof SupplyChainError) || error.code !== 'SIGNATURE_UNTRUSTED') throw error;
    throw new ReleaseError('RELEASE_KEY_UNTRUSTED', 'The release was signed with a key that is not trusted.', {
      cause: error,
      field: RELEASE_FILES.provenance,
    });
  }
}

function checkBuilder({ provenance }: ProvenanceStatement, builder: string): void {
  const { buildDefinition, runDetails } = provenance;
  if (buildDefinition.buildType !== BUILD_TYPE) {
    throw invalid(`The provenance is of the build type ${buildDefinition.buildType}.`, RELEASE_FILES.provenance);
  }
  if (runDetails.builder.id !== builder) {
    throw invalid(`The release was built by ${runDetails.builder.id}.`, RELEASE_FILES.provenance);
  }
}

function compareFiles(signed: FileDigests, present: FileDigests): void {
  for (const [path, digest] of Object.entries(signed)) {
    if (!Object.hasOwn(present, path)) {
      const evidence = path.startsWith('evidence/');
      throw new ReleaseError(evidence ? 'RELEASE_EVIDENCE_MISSING' : 'RELEASE_DIGEST_MISMATCH', `${path} is missing.`, {
        field: path,
      });
    }
    if (present[path] !== digest) throw mismatch(`${path} was changed after it was released.`, path);
  }
  for (const path of Object.keys(present)) {
    if (!Object.hasOwn(signed, path)) throw mismatch(`${path} does not belong to the release.`, path);
  }
}

/** The manifest lists what the provenance lists, but itself. */
function checkManifest(manifest: ReleaseManifest, { subjects, provenance }: ProvenanceStatement): void {
  const rest = Object.fromEntries(Object.entries(subjects).filter(([path]) => path !== RELEASE_FILES.manifest));
  const listed = Object.fromEntries(Object.entries(manifest.files).map(([path, { sha256 }]) => [path, sha256]));
  const differs = [...new Set([...Object.keys(rest), ...Object.keys(listed)])].find(
    (path) => rest[path] !== listed[path],
  );
  if (differs !== undefined) throw invalid(`Manifest and provenance disagree about ${differs}.`, differs);
  const { model, version, digest } = provenance.buildDefinition.externalParameters;
  if (model !== manifest.model || version !== manifest.version || digest !== manifest.digest) {
    throw invalid('Manifest and provenance are about different models.', RELEASE_FILES.manifest);
  }
}

async function checkModelSignature(a: {
  readonly folder: string;
  readonly manifest: ReleaseManifest;
  readonly present: FileDigests;
  readonly publicKeys: readonly string[];
}): Promise<number> {
  const prefix = RELEASE_FILES.model;
  const files = Object.fromEntries(
    Object.entries(a.present)
      .filter(([path]) => path.startsWith(prefix))
      .map(([path, digest]) => [path.slice(prefix.length), digest]),
  );
  const { digest } = verifyModel({
    files,
    bundle: await readFile(join(a.folder, RELEASE_FILES.modelSignature)),
    publicKeys: a.publicKeys,
    name: a.manifest.model,
  });
  if (digest !== a.manifest.digest) throw invalid('The manifest names another model folder.', RELEASE_FILES.manifest);
  return Object.keys(files).length;
}

/** Reads again what was hashed before, and only if it still is the same. */
function reader(folder: string, present: FileDigests): ReleaseReader {
  return async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const bytes = Object.hasOwn(present, path) ? await readFile(join(folder, path)) : undefined;
    if (bytes === undefined) throw invalid(`${path} is missing.`, path);
    if (createHash('sha256').update(bytes).digest('hex') !== present[path]) throw mismatch(`${path} changes.`, path);
    try {
      return schema.parse(JSON.parse(bytes.toString('utf8')));
    } catch (cause) {
      throw invalid(`${path} is not what it should be.`, path, cause);
    }
  };
}

function invalid(message: string, field: string, cause?: unknown): ReleaseError {
  return new ReleaseError('RELEASE_INVALID', message, { field, cause });
}

function mismatch(message: string, field: string): ReleaseError {
  return new ReleaseError('RELEASE_DIGEST_MISMATCH', message, { field });
}
