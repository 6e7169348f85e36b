import { createPublicKey, type KeyObject } from 'node:crypto';
import { assertBundleLatest, bundleFromJSON, type Bundle } from '@sigstore/bundle';
import { toSignedEntity, Verifier, VerificationError } from '@sigstore/verify';
import { SupplyChainError } from './errors.ts';
import { keyHint } from './sign.ts';
import { decodeStatement, PAYLOAD_TYPE, type FileDigests, type ModelStatement } from './statement.ts';

/** Bundles are a few kilobytes; more is not looked at. */
const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;

export interface VerifyModelOptions {
  /** What is there: every file of the model folder but the signature. */
  readonly files: FileDigests;
  /** Sigstore bundle, JSON; undefined when the model has none. */
  readonly bundle: string | Uint8Array | undefined;
  /** PEM keys that are trusted. */
  readonly publicKeys: readonly string[];
  /** Name that the model must have been signed under; default: any. */
  readonly name?: string;
}

/**
 * Verifies a model signature (OpenSSF Model Signing v1.0): made by a trusted key, over exactly the files that are there.
 * Throws `SIGNATURE_MISSING`, or `SIGNATURE_INVALID` naming the file in `field` where one is at fault.
 */
export function verifyModel(options: VerifyModelOptions): ModelStatement {
  if (options.bundle === undefined || options.bundle.length === 0) {
    throw new SupplyChainError('SIGNATURE_MISSING', 'The model has no signature.');
  }
  const statement = decodeStatement(openBundle(parseBundle(options.bundle), options.publicKeys));
  if (options.name !== undefined && statement.name !== options.name) {
    throw invalid(`The signature is for the model ${JSON.stringify(statement.name)}.`);
  }
  compareFiles(statement.files, options.files);
  return statement;
}

function parseBundle(bytes: string | Uint8Array): Bundle {
  if (bytes.length > MAX_BUNDLE_BYTES) throw invalid('The signature is too long.');
  try {
    const bundle = bundleFromJSON(JSON.parse(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')));
    assertBundleLatest(bundle);
    return bundle;
  } catch (error) {
    throw invalid('The signature is not a Sigstore bundle.', error);
  }
}

/** The DSSE payload, after its signature was verified. */
function openBundle(bundle: Bundle, publicKeys: readonly string[]): Uint8Array {
  if (bundle.content.$case !== 'dsseEnvelope' || bundle.content.dsseEnvelope.payloadType !== PAYLOAD_TYPE) {
    throw invalid('The bundle holds no in-toto statement.');
  }
  if (bundle.verificationMaterial.content.$case !== 'publicKey') {
    throw invalid('The bundle was not made with a key of this platform.');
  }
  const trusted = new Map<string, KeyObject>(publicKeys.map((pem) => [keyHint(pem), createPublicKey(pem)]));
  const verifier = new Verifier(
    {
      certificateAuthorities: [],
      timestampAuthorities: [],
      tlogs: [],
      ctlogs: [],
      publicKey: (hint) => {
        const publicKey = trusted.get(hint);
        if (publicKey === undefined) throw invalid('The model was signed with a key that is not trusted.');
        return { publicKey, validFor: () => true };
      },
    },
    { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 },
  );
  try {
    verifier.verify(toSignedEntity(bundle));
  } catch (error) {
    if (error instanceof SupplyChainError) throw error;
    const known = error instanceof VerificationError;
    throw invalid(known ? 'The signature does not fit the statement.' : 'The signature cannot be verified.', error);
  }
  return bundle.content.dsseEnvelope.payload;
}

function compareFiles(signed: FileDigests, present: FileDigests): void {
  for (const [path, digest] of Object.entries(signed)) {
    if (!Object.hasOwn(present, path)) throw invalid(`${path} is missing.`, undefined, path);
    if (present[path] !== digest) throw invalid(`${path} was changed after it was signed.`, undefined, path);
  }
  for (const path of Object.keys(present)) {
    if (!Object.hasOwn(signed, path)) throw invalid(`${path} was not signed.`, undefined, path);
  }
}

function invalid(message: string, cause?: unknown, field?: string): SupplyChainError {
  return new SupplyChainError('SIGNATURE_INVALID', message, { cause, field });
}
