import { shutDown } from '../../infra/local/index.ts';
import { saipHome } from '../client/stack-file.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';

/** Stops every process of the stack; its data stays. */
export async function down(io: Io, options: OutputOptions): Promise<void> {
  const result = await shutDown(saipHome(io.env));
  present(io, options, result, ({ wasRunning, leftovers }) => {
    const swept = leftovers > 0 ? `, and ended ${leftovers} processes that were left over` : '';
    return wasRunning ? `Stopped${swept}.` : `The stack was not running${swept}.`;
  });
}
