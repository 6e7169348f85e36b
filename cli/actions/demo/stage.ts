import { WorkflowDetail, WorkflowStarted, WorkflowUpdated } from '../../../contracts/api.ts';
import type { Role } from '../../../contracts/roles.ts';
import { path } from '../../client/index.ts';
import type { ApiClient } from '../../client/index.ts';
import { EXIT } from '../../exit-codes.ts';
import type { ExitCode } from '../../exit-codes.ts';
import { followWorkflow } from '../../follow/index.ts';
import type { Io } from '../../io.ts';
import { writeLine } from '../../io.ts';
import { colorsOf } from '../../render/colors.ts';
import type { InterruptGuard } from './interrupt.ts';

/** A part of the demo ended otherwise than it should; what was said says why. */
export class DemoStopped extends Error {
  override readonly name = 'DemoStopped';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode) {
    super('the demo stopped');
    this.exitCode = exitCode;
  }
}

export interface StageOptions {
  readonly io: Io;
  readonly api: ApiClient;
  readonly interrupt: InterruptGuard;
}

export interface RunOptions {
  /** Plays the second person: approves what the run waits for. */
  readonly approve?: boolean;
  /** Outcomes to go on with. Default: only `completed`. */
  readonly accept?: readonly ExitCode[];
}

/** Starts a workflow as `role` and shows it to its end. @throws DemoStopped unless it ended as it should */
export async function runWorkflow(
  { io, api, interrupt }: StageOptions,
  start: { readonly path: string; readonly body: object; readonly role: Role },
  { approve = false, accept = [EXIT.ok] }: RunOptions = {},
): Promise<WorkflowDetail> {
  const started = await api.post(start.path, start.body, WorkflowStarted, { role: start.role });
  if (started.links.temporal !== undefined) writeLine(io.stdout, `Temporal UI  ${started.links.temporal}\n`);
  const { exitCode, detail } = await interrupt.during(async (signal) => {
    const ended = new AbortController();
    const approving = approve ? approveWhenAsked(io, api, started.workflowId, ended.signal) : Promise.resolve();
    try {
      return await followWorkflow(io, api, started.workflowId, { signal });
    } finally {
      ended.abort();
      await approving;
    }
  });
  if (detail === undefined || !accept.includes(exitCode)) throw new DemoStopped(exitCode);
  return detail;
}

const BETWEEN_LOOKS_MS = 1000;

/** The approver of the local stack is another subject than the one who asked, as the policy wants it. */
async function approveWhenAsked(io: Io, api: ApiClient, workflowId: string, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    const { progress } = await api.get(path`/v1/workflows/${workflowId}`, WorkflowDetail, { role: 'viewer' });
    if (progress?.approval !== undefined) {
      const { subjectDigest, requestedBy } = progress.approval;
      const body = { decision: 'approve', subjectDigest, comment: 'demonstration' };
      await api.post(path`/v1/workflows/${workflowId}/approve`, body, WorkflowUpdated, { role: 'approver' });
      writeLine(io.stdout, `  local-approver approves what ${requestedBy} asked for`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
  }
}

export function heading(io: Io, number: number, of: number, text: string): void {
  const colors = colorsOf(io);
  writeLine(io.stdout, `\n${colors.bold(colors.cyan(`${String(number)}/${String(of)} ${text}`))}`);
}
