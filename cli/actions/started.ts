import type { WorkflowStarted } from '../../contracts/api.ts';
import type { ApiClient } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { followWorkflow } from '../follow/index.ts';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import { present } from '../render/output.ts';
import { renderPairs } from '../render/table.ts';

export interface StartedOptions {
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** Tells where a started workflow can be seen, or shows it to its end. */
export async function reportStarted(
  io: Io,
  api: ApiClient,
  started: WorkflowStarted,
  options: StartedOptions,
): Promise<ExitCode> {
  if (options.follow !== true) {
    present(io, options, started, describeStarted);
    return EXIT.ok;
  }
  if (options.json !== true) writeLine(io.stdout, describeStarted(started));
  const { exitCode } = await followWorkflow(io, api, started.workflowId, options);
  return exitCode;
}

function describeStarted({ workflowId, links }: WorkflowStarted): string {
  return renderPairs([
    ['started', workflowId],
    ['follow', `saip workflows follow ${workflowId}`],
    ['Temporal UI', links.temporal],
  ]);
}
