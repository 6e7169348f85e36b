import type { ReleaseVerification } from '../../contracts/release.ts';
import { runChild } from '../heavy/index.ts';
import type { VerifyReleaseOptions } from './verify.ts';

/**
 * Verifies as a stranger would: in a fresh process that has the folder and public keys, no login and no memory of how
 * the release was made.
 * @throws HeavyError with the code of {@link verifyRelease}
 */
export async function verifyInProcess(
  options: VerifyReleaseOptions & { readonly signal?: AbortSignal },
): Promise<ReleaseVerification> {
  const { signal, ...input } = options;
  return runChild<ReleaseVerification>({ entry: new URL('verify-child.ts', import.meta.url), input, signal });
}
