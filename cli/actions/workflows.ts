import { WorkflowDetail, WorkflowList, WorkflowUpdated } from '../../contracts/api.ts';
import type { WorkflowSummary } from '../../contracts/api.ts';
import type { Role } from '../../contracts/roles.ts';
import { ApiClient, path } from '../client/index.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { followWorkflow, outcomeOf, renderSummary } from '../follow/index.ts';
import { renderFrame } from '../follow/frame.ts';
import { initialState } from '../follow/state.ts';
import type { Io } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { formatDuration, formatTime } from '../render/time.ts';

export interface ListOptions extends OutputOptions {
  readonly type?: string;
  readonly status?: string;
  readonly model?: string;
  readonly limit?: number;
  readonly pageToken?: string;
}

export async function listWorkflows(io: Io, options: ListOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { type, status, model, limit, pageToken } = options;
  const list = await api.get('/v1/workflows', WorkflowList, {
    role: 'viewer',
    query: { type, status, model, limit, pageToken },
  });
  present(io, options, list, ({ workflows, nextPageToken }) => {
    if (workflows.length === 0) return 'no workflows';
    const table = renderTable(
      ['workflow', 'type', 'status', 'model', 'stage', 'started', 'took'],
      workflows.map(workflowRow),
      io,
    );
    return nextPageToken === undefined ? table : `${table}\nmore: --page-token ${nextPageToken}`;
  });
  return EXIT.ok;
}

function workflowRow(workflow: WorkflowSummary): (string | undefined)[] {
  const { workflowId, type, status, model, stage, startedAt, closedAt } = workflow;
  const end = closedAt === undefined ? Date.now() : Date.parse(closedAt);
  return [workflowId, type, status, model, stage, formatTime(startedAt), formatDuration(end - Date.parse(startedAt))];
}

export async function showWorkflow(io: Io, workflowId: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const detail = await readWorkflow(api, workflowId);
  present(io, options, detail, () => {
    const frame = renderFrame(initialState(detail), {
      now: Date.now(),
      columns: io.columns(),
      colors: colorsOf(io),
    }).join('\n');
    return isOpen(detail) ? frame : `${frame}\n\n${renderSummary(detail, api.connection, io)}`;
  });
  return EXIT.ok;
}

export async function follow(io: Io, workflowId: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { exitCode } = await followWorkflow(io, api, workflowId, options);
  return exitCode;
}

export interface DecideOptions extends OutputOptions {
  readonly comment?: string;
  /** Digest of what the approver looked at; default: what the workflow asks about now. */
  readonly digest?: string;
}

/** Sends a person's decision. @throws CliError when the workflow waits for none, or for one about something else. */
export async function decide(
  io: Io,
  workflowId: string,
  decision: 'approve' | 'reject',
  options: DecideOptions,
): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { progress } = await readWorkflow(api, workflowId);
  const asked = progress?.approval;
  if (asked === undefined) {
    throw new CliError(`${workflowId} does not wait for an approval`, {
      hint: `See its stage with saip workflows show ${workflowId}.`,
      code: 'APPROVAL_NOT_WAITING',
    });
  }
  const body = { decision, subjectDigest: options.digest ?? asked.subjectDigest, comment: options.comment };
  const updated = await api.post(path`/v1/workflows/${workflowId}/approve`, body, WorkflowUpdated, {
    role: 'approver',
  });
  present(io, options, updated, () => `${decision === 'approve' ? 'approved' : 'rejected'} ${body.subjectDigest}`);
  return EXIT.ok;
}

export interface CancelOptions extends OutputOptions {
  readonly reason: string;
  /** Who asks; who started a workflow may stop it. Default: a trainer. */
  readonly role?: Role;
}

export async function cancel(io: Io, workflowId: string, options: CancelOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const body = { reason: options.reason };
  const updated = await api.post(path`/v1/workflows/${workflowId}/cancel`, body, WorkflowUpdated, {
    role: options.role ?? 'trainer',
  });
  present(io, options, updated, () => `cancelling ${workflowId}`);
  return EXIT.ok;
}

export interface RetryOptions extends OutputOptions {
  /** Default: the stage that failed. */
  readonly stage?: string;
}

export async function retryStage(io: Io, workflowId: string, options: RetryOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const stage = options.stage ?? failedStage(await readWorkflow(api, workflowId));
  if (stage === undefined) throw usageError(`no failed stage of ${workflowId} is known`, 'Name it with --stage.');
  const updated = await api.post(path`/v1/workflows/${workflowId}/retry`, { stage }, WorkflowUpdated, {
    role: 'trainer',
  });
  present(io, options, updated, () => `retrying ${stage} of ${workflowId}`);
  return EXIT.ok;
}

function failedStage({ progress }: WorkflowDetail): string | undefined {
  return progress?.stages.find(({ status }) => status === 'failed')?.name;
}

function readWorkflow(api: ApiClient, workflowId: string): Promise<WorkflowDetail> {
  return api.get(path`/v1/workflows/${workflowId}`, WorkflowDetail, { role: 'viewer' });
}

function isOpen(detail: WorkflowDetail): boolean {
  return outcomeOf(detail) === 'running' || detail.status === 'paused';
}
