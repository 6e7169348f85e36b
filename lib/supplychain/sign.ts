import type { BaoClient } from '../clients/index.ts';
import { signStatement, type StatementSigner } from './envelope.ts';
import { encodeStatement, modelDigest, type FileDigests } from './statement.ts';

export interface SignModelOptions {
  /** Name of the model in the statement; `verifyModel` can ask for it. */
  readonly name: string;
  readonly files: FileDigests;
  readonly signer: StatementSigner;
}

export interface ModelSignature {
  /** Root digest of the model folder. */
  readonly digest: string;
  /** Sigstore bundle, JSON. */
  readonly bundle: string;
}

/**
 * Signs a model folder as OpenSSF Model Signing v1.0 asks: an in-toto statement of every file's digest in a DSSE
 * envelope in a Sigstore bundle v0.3. PyPI `model-signing` verifies it. Throws what the signer throws.
 */
export async function signModel(options: SignModelOptions): Promise<ModelSignature> {
  const statement = encodeStatement(options.name, options.files);
  return { digest: modelDigest(options.files), bundle: await signStatement(statement, options.signer) };
}

/** Signs with the newest version of a transit key of OpenBao. */
export function transitSigner(
  client: Pick<BaoClient, 'transitPublicKeys' | 'transitSign'>,
  key = 'models',
): StatementSigner {
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
