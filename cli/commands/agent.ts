import type { Command } from 'commander';
import type { AgentKeyOptions, AgentRunOptions } from '../actions/agent.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { wholeNumber, withJson } from './options.ts';

export function registerAgent(program: Command, io: Io): void {
  const group = program.command('agent').description('let agents answer questions about models');

  withJson(group.command('list').description('list agents, their tools and budgets')).action(
    async (options: OutputOptions) => {
      const { listAgents } = await import('../actions/agent.ts');
      process.exitCode = await listAgents(io, options);
    },
  );

  withJson(
    group
      .command('run')
      .description('let an agent work on a question')
      .argument('<agent>', 'see: saip agent list')
      .argument('<question>')
      .option('--model <name>', 'embedded or remote; default: what the deployment is set to')
      .option('--max-steps <n>', 'fewer model calls than the agent may make', wholeNumber(1))
      .option('--follow', 'show the workflow until it ends; Ctrl-C detaches')
      .option('--idempotency-key <key>', 'the same key and request start nothing twice'),
  ).action(async (agent: string, question: string, options: AgentRunOptions) => {
    const { runAgent } = await import('../actions/agent.ts');
    process.exitCode = await runAgent(io, agent, question, options);
  });

  withJson(
    group
      .command('set-key')
      .description('keep the API key of a language model server in OpenBao, on this machine')
      .argument('<field>', 'what SAIP_LLM_KEY says')
      .option('--file <file>', 'file with the key, "-" for stdin', '-'),
  ).action(async (field: string, options: AgentKeyOptions) => {
    const { setAgentKey } = await import('../actions/agent.ts');
    process.exitCode = await setAgentKey(io, field, options);
  });

  withJson(group.command('show').description('show the answer and the transcript of a task').argument('<id>')).action(
    async (id: string, options: OutputOptions) => {
      const { showAgentTask } = await import('../actions/agent.ts');
      process.exitCode = await showAgentTask(io, id, options);
    },
  );
}
