import { SaipError } from '../../contracts/errors.ts';
import { stackLayout } from './layout.ts';
import type { Ports } from './ports.ts';
import { readStackState } from './state.ts';
import { loadToolchain } from './toolchain.ts';

/**
 * Keeps the API key of a language model server in the vault of the running stack, as a field of `secret/saip/llm`;
 * `SAIP_LLM_KEY` names the field. Other fields stay.
 * @throws SaipError STACK_UNHEALTHY without a stack
 */
export async function storeLlmKey(home: string, field: string, key: string): Promise<void> {
  const layout = stackLayout(home);
  const state = readStackState(layout.stateFile);
  if (state === undefined) throw new SaipError('STACK_UNHEALTHY', 'There is no stack: start it with saip up.');
  const { openVault, storeSecretField } = await import('./openbao/index.ts');
  const context = { stackId: state.id, layout, toolchain: loadToolchain(), ports: state.ports as Ports };
  await storeSecretField(await openVault(context), 'saip/llm', { field, value: key });
}
