import { createHash, createPublicKey } from 'node:crypto';
import { bundleToJSON, toDSSEBundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import type { BaoClient } from '../clients/index.ts';
import { encodeStatement, modelDigest, PAYLOAD_TYPE, type FileDigests } from './statement.ts';

/** Media type of a Sigstore bundle v0.3 as JSON. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

export interface ModelSigner {
  /** ECDSA over SHA-256 of `message`, DER encoded, with the public key (PEM) that verifies it. */
  sign(message: Uint8Array): Promise<{ readonly signature: Buffer; readonly publicKey: string }>;
}

export interface SignModelOptions {
  /** Name of the model in the statement; `verifyModel` can ask for it. */
  readonly name: string;
  readonly files: FileDigests;
  readonly signer: ModelSigner;
}

export interface ModelSignature {
  /** Root digest of the model folder. */
  readonly digest: string;
  /** Sigstore bundle, JSON. */
  readonly bundle: string;
}

/** Name of a public key in a bundle: SHA-256 of its PEM, hexadecimal (OpenSSF Model Signing v1.0). */
export function keyHint(publicKey: string): string {
  const pem = createPublicKey(publicKey).export({ type: 'spki', format: 'pem' });
  return createHash('sha256').update(pem).digest('hex');
}

/**
 * Signs a model folder as OpenSSF Model Signing v1.0 asks: an in-toto statement of every file's digest in a DSSE
 * envelope in a Sigstore bundle v0.3. PyPI `model-signing` verifies it. Throws what the signer throws.
 */
export async function signModel(options: SignModelOptions): Promise<ModelSignature> {
  const statement = encodeStatement(options.name, options.files);
  const { signature, publicKey } = await options.signer.sign(dsse.preAuthEncoding(PAYLOAD_TYPE, statement));
  const bundle = toDSSEBundle({
    artifact: statement,
    artifactType: PAYLOAD_TYPE,
    signature,
    keyHint: keyHint(publicKey),
  });
  // The hint belongs to the verification material; cosign refuses an envelope that repeats it as its key id.
  for (const entry of bundle.content.dsseEnvelope.signatures) entry.keyid = '';
  return { digest: modelDigest(options.files), bundle: JSON.stringify(bundleToJSON(bundle)) };
}

/** Signs with the newest version of a transit key of OpenBao. */
export function transitSigner(
  client: Pick<BaoClient, 'transitPublicKeys' | 'transitSign'>,
  key = 'models',
): ModelSigner {
  return {
    sign: async (message) => {
      const { latest, keys } = await client.transitPublicKeys(key);
      const publicKey = keys.find(({ version }) => version === latest)?.pem;
      if (publicKey === undefined) throw new Error(`Transit key ${key} has no public key of its latest version.`);
      const { signature } = await client.transitSign(key, message, { marshaling: 'asn1', keyVersion: latest });
      return { signature, publicKey };
    },
  };
}

/** PEM of every version of a transit key: what signatures of this platform are verified with. */
export async function transitPublicKeys(
  client: Pick<BaoClient, 'transitPublicKeys'>,
  key = 'models',
): Promise<readonly string[]> {
  const { keys } = await client.transitPublicKeys(key);
  return keys.map(({ pem }) => pem);
}
