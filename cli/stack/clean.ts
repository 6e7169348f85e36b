import { createInterface } from 'node:readline/promises';
import { removeStack } from '../../infra/local/index.ts';
import { saipHome } from '../client/stack-file.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';

export interface CleanOptions extends OutputOptions {
  readonly yes?: boolean;
}

/** Stops the stack and deletes its databases, artifacts, keys and logs; asks first. */
export async function clean(io: Io, options: CleanOptions): Promise<ExitCode> {
  const home = saipHome(io.env);
  if (options.yes !== true && !(await confirmed(home))) {
    present(io, options, { deleted: false, home }, () => 'Nothing was deleted.');
    return EXIT.failure;
  }
  await removeStack(home);
  present(io, options, { deleted: true, home }, () => `Deleted the stack in ${home}.`);
  return EXIT.ok;
}

async function confirmed(home: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw usageError('Without a terminal to ask on, clean needs --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(
      `This deletes every model, run, workflow and key of the stack in ${home}. Type "delete" to go on: `,
    );
    return answer.trim() === 'delete';
  } finally {
    terminal.close();
  }
}
