import { WorkflowDetail } from '../../contracts/api.ts';
import { followEvents, path } from '../client/index.ts';
import type { ApiClient, EventsOptions } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import { exitCodeOfOutcome } from './outcome.ts';
import { advance, initialState } from './state.ts';
import { renderSummary } from './summary.ts';
import { lineView, liveView } from './view.ts';

export interface FollowOptions {
  /** One JSON document at the end on stdout; changes go to stderr. */
  readonly json?: boolean;
  /** Detaches when aborted. Default: SIGINT of this process. */
  readonly signal?: AbortSignal;
  readonly backoff?: EventsOptions['backoff'];
}

export interface Followed {
  readonly exitCode: ExitCode;
  /** Absent when the viewer detached before the end. */
  readonly detail: WorkflowDetail | undefined;
}

/**
 * Shows a workflow until it ends: 0 completed, 5 rejected, 1 failed or cancelled. Ctrl-C detaches with 130; the
 * workflow goes on.
 * @throws CliError for an unknown workflow, a token that may not read it, or a server that stays away.
 */
export async function followWorkflow(
  io: Io,
  api: ApiClient,
  workflowId: string,
  options: FollowOptions = {},
): Promise<Followed> {
  const first = await api.get(path`/v1/workflows/${workflowId}`, WorkflowDetail, { role: 'viewer' });
  const interrupt = options.signal === undefined ? onInterrupt() : undefined;
  const signal = options.signal ?? interrupt?.signal;
  const plain = options.json === true || !io.interactive;
  const view = plain ? lineView(io, options.json === true ? io.stderr : io.stdout) : liveView(io);
  let detail = first.status === 'running' || first.status === 'paused' ? undefined : first;
  try {
    let state = initialState(first);
    view.show(state);
    const stream = followEvents({
      url: api.url(path`/v1/workflows/${workflowId}/events`),
      token: () => api.connection.tokens.token('viewer'),
      signal,
      backoff: options.backoff,
    });
    if (detail === undefined) {
      for await (const item of stream) {
        state = advance(state, item);
        view.show(state);
        if (item.kind === 'end') detail = item.detail;
      }
    }
  } finally {
    view.close();
    interrupt?.dispose();
  }
  if (detail === undefined) {
    sayDetached(io, workflowId);
    return { exitCode: EXIT.interrupted, detail };
  }
  if (options.json === true) writeLine(io.stdout, JSON.stringify(detail, undefined, 2));
  else writeLine(io.stdout, `\n${renderSummary(detail, api.connection, io)}`);
  return { exitCode: exitCodeOfOutcome(detail), detail };
}

function sayDetached(io: Io, workflowId: string): void {
  writeLine(io.stderr, `\nDetached. The workflow goes on.`);
  writeLine(io.stderr, `  come back  saip workflows follow ${workflowId}`);
  writeLine(io.stderr, `  stop it    saip workflows cancel ${workflowId}`);
}

/** Turns the first SIGINT into an abort; a second one ends the process as usual. */
function onInterrupt(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  process.once('SIGINT', abort);
  return { signal: controller.signal, dispose: () => process.off('SIGINT', abort) };
}
