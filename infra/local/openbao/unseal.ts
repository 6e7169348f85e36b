import { SaipError } from '../../../contracts/errors.ts';
import type { StackContext } from '../service.ts';
import { readInitFile, writeInitFile } from './init-file.ts';
import { vaultClient } from './vault.ts';

/**
 * Initialises the vault at its first start and unseals it at every start.
 * @throws SaipError STACK_UNHEALTHY when the vault holds data but its unseal key is gone
 */
export async function unseal(context: StackContext): Promise<void> {
  const vault = vaultClient(context);
  const { initialized } = (await vault.initialized()) as { initialized: boolean };
  if (!initialized) {
    const answer = (await vault.init({ secret_shares: 1, secret_threshold: 1 })) as InitAnswer;
    writeInitFile(context.layout, { keys: answer.keys_base64, rootToken: answer.root_token });
  }
  const file = await readInitFile(context.layout);
  if (file === undefined) {
    throw new SaipError(
      'STACK_UNHEALTHY',
      'The vault is initialised, but secrets/bao-init.json with its unseal key is missing: restore it, or start afresh with saip clean.',
    );
  }
  for (const key of file.keys) await vault.unseal({ key });
}

interface InitAnswer {
  readonly keys_base64: string[];
  readonly root_token: string;
}
