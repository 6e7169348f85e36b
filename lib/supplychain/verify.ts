import { openStatement } from './envelope.ts';
import { SupplyChainError } from './errors.ts';
import { decodeStatement, type FileDigests, type ModelStatement } from './statement.ts';

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
  const statement = decodeStatement(openModelStatement(options));
  if (options.name !== undefined && statement.name !== options.name) {
    throw invalid(`The signature is for the model ${JSON.stringify(statement.name)}.`);
  }
  compareFiles(statement.files, options.files);
  return statement;
}

function openModelStatement({ bundle, publicKeys }: VerifyModelOptions): Uint8Array {
  try {
    return openStatement(bundle, publicKeys).payload;
  } catch (error) {
    if (!(error instanceof SupplyChainError)) throw error;
    if (error.code === 'SIGNATURE_MISSING') {
      throw new SupplyChainError('SIGNATURE_MISSING', 'The model has no signature.', { cause: error });
    }
    // To whoever loads a model it makes no difference which of the two it is.
    if (error.code === 'SIGNATURE_UNTRUSTED') {
      throw invalid('The model was signed with a key that is not trusted.', error);
    }
    throw error;
  }
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
