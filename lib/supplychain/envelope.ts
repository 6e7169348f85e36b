import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { assertBundleLatest, bundleFromJSON, bundleToJSON, toDSSEBundle, type Bundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { toSignedEntity, VerificationError, Verifier } from '@sigstore/verify';
import { SupplyChainError } from './errors.ts';

/** Media type of a Sigstore bundle v0.3 as JSON. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** DSSE payload type of an in-toto statement. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** Bundles are a few kilobytes; more is not looked at. */
const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;

export interface StatementSigner {
  /** ECDSA over SHA-256 of `message`, DER encoded, with the public key (PEM) that verifies it. */
  sign(message: Uint8Array): Promise<{ readonly signature: Buffer; readonly publicKey: string }>;
}

/** Name of a public key in a bundle: SHA-256 of its PEM, hexadecimal (OpenSSF Model Signing v1.0). */
export function keyHint(publicKey: string): string {
  const pem = createPublicKey(publicKey).export({ type: 'spki', format: 'pem' });
  return createHash('sha256').update(pem).digest('hex');
}

/** Signs an in-toto statement: a DSSE envelope in a Sigstore bundle v0.3, JSON. Throws what the signer throws. */
export async function signStatement(statement: Buffer, signer: StatementSigner): Promise<string> {
  const { signature, publicKey } = await signer.sign(dsse.preAuthEncoding(PAYLOAD_TYPE, statement));
  const bundle = toDSSEBundle({
    artifact: statement,
    artifactType: PAYLOAD_TYPE,
    signature,
    keyHint: keyHint(publicKey),
  });
  // The hint belongs to the verification material; cosign refuses an envelope that repeats it as its key id.
  for (const entry of bundle.content.dsseEnvelope.signatures) entry.keyid = '';
  return JSON.stringify(bundleToJSON(bundle));
}

export interface OpenedStatement {
  /** The statement, whose signature was verified. */
  readonly payload: Uint8Array;
  /** {@link keyHint} of the key that signed it. */
  readonly key: string;
}

/**
 * The statement in a Sigstore bundle, after its signature was verified with one of `publicKeys` (PEM).
 * Throws `SIGNATURE_MISSING`, `SIGNATURE_UNTRUSTED` for a key that is not among them, `SIGNATURE_INVALID`.
 */
export function openStatement(bytes: string | Uint8Array | undefined, publicKeys: readonly string[]): OpenedStatement {
  if (bytes === undefined || bytes.length === 0) {
    throw new SupplyChainError('SIGNATURE_MISSING', 'There is no signature.');
  }
  const bundle = parseBundle(bytes);
  if (bundle.content.$case !== 'dsseEnvelope' || bundle.content.dsseEnvelope.payloadType !== PAYLOAD_TYPE) {
    throw invalid('The bundle holds no in-toto statement.');
  }
  if (bundle.verificationMaterial.content.$case !== 'publicKey') {
    throw invalid('The bundle was not made with a key of this platform.');
  }
  verifyEnvelope(bundle, publicKeys);
  return { payload: bundle.content.dsseEnvelope.payload, key: bundle.verificationMaterial.content.publicKey.hint };
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

function verifyEnvelope(bundle: Bundle, publicKeys: readonly string[]): void {
  const trusted = new Map<string, KeyObject>(publicKeys.map((pem) => [keyHint(pem), createPublicKey(pem)]));
  const verifier = new Verifier(
    {
      certificateAuthorities: [],
      timestampAuthorities: [],
      tlogs: [],
      ctlogs: [],
      publicKey: (hint) => {
        const publicKey = trusted.get(hint);
        if (publicKey === undefined) {
          throw new SupplyChainError('SIGNATURE_UNTRUSTED', 'The key that signed this is not trusted.');
        }
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
}

function invalid(message: string, cause?: unknown): SupplyChainError {
  return new SupplyChainError('SIGNATURE_INVALID', message, { cause });
}
