import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { AgentList, AgentTaskView } from '../../contracts/agent-api.ts';
import { WorkflowStarted } from '../../contracts/api.ts';
import type { TranscriptEntry } from '../../contracts/agent-task.ts';
import { ApiClient, path, saipHome } from '../client/index.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { renderSummary } from '../follow/index.ts';
import type { Io } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { reportStarted } from './started.ts';
import type { StartedOptions } from './started.ts';

export async function listAgents(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get('/v1/agents', AgentList, { role: 'viewer' });
  present(io, options, list, ({ agents }) => {
    const rows = agents.flatMap(({ name, tools, defaultModel, budget }) =>
      tools.map((tool, index) => [
        index === 0 ? name : '',
        tool.name,
        tool.granted ? 'granted' : 'no grant',
        tool.approval ? 'by another person' : '',
        index === 0 ? defaultModel : '',
        index === 0 ? `${budget.steps} calls, ${budget.tokens} tokens, ${budget.minutes} min` : '',
      ]),
    );
    return renderTable(['agent', 'tool', 'policy', 'approval', 'chat model', 'budget'], rows, io);
  });
  return EXIT.ok;
}

export interface AgentRunOptions extends StartedOptions {
  readonly model?: string;
  readonly maxSteps?: number;
  readonly idempotencyKey?: string;
}

/** `saip agent run`: starts `agentTask` and, with `--follow`, shows it to its end. */
export async function runAgent(io: Io, agent: string, question: string, options: AgentRunOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { model, maxSteps, idempotencyKey: key } = options;
  const body = { agent, question, model, ...(maxSteps !== undefined && { budget: { steps: maxSteps } }) };
  const started = await api.post('/v1/workflows/agent-task', body, WorkflowStarted, {
    role: 'agent-operator',
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
  return reportStarted(io, api, started, options);
}

export interface AgentKeyOptions extends OutputOptions {
  readonly file: string;
}

/** Never takes the key as an argument: those are visible to every process of the machine. */
export async function setAgentKey(io: Io, field: string, options: AgentKeyOptions): Promise<ExitCode> {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(field)) throw usageError('the field has letters, digits, "_" and "-" only');
  const given = options.file === '-' ? await text(process.stdin) : await readFile(options.file, 'utf8');
  const key = given.trim();
  if (key === '') throw usageError('the key is empty', 'Name a file with it, or send it to stdin.');
  const { storeLlmKey } = await import('../../infra/local/index.ts');
  await storeLlmKey(saipHome(io.env), field, key);
  present(io, options, { field }, () => `kept as ${field}; start the stack with SAIP_LLM_KEY=${field}`);
  return EXIT.ok;
}

export async function showAgentTask(io: Io, id: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const task = await api.get(path`/v1/agent-tasks/${id}`, AgentTaskView, { role: 'viewer' });
  present(io, options, task, ({ workflow, transcript }) => {
    const lines = (transcript?.entries ?? []).map((entry) => describe(entry, io));
    return [...lines, renderSummary(workflow, api.connection, io)].join('\n\n');
  });
  return EXIT.ok;
}

/** One entry: what it is, what was decided by which rules, and the text. */
function describe({ step, kind, tool, decision, rules, text }: TranscriptEntry, io: Io): string {
  const colors = colorsOf(io);
  const where = step === 0 ? '' : `${step} `;
  const what = [kind, tool, decision].filter((part) => part !== undefined).join(' ');
  const by = rules.length === 0 ? '' : colors.dim(` (${rules.join(', ')})`);
  return `${colors.bold(`${where}${what}`)}${by}\n${text.replaceAll(/^/gm, '  ')}`;
}
