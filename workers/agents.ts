import { z } from 'zod';
import { createAgentActivities, journal } from '../activities/agents/index.ts';
import type { AgentActivities } from '../contracts/agent-activities.ts';
import { AgentError, chatModels, Conversations, TaskLogins, ToolPolicy } from '../lib/agents/index.ts';
import { AgentStore, AuditLog, createPool } from '../lib/clients/index.ts';
import { Guard, SecretRegistry } from '../lib/guardrails/index.ts';
import type { Resources } from './shared/resources.ts';
import { runPool } from './shared/run-pool.ts';

/** Calls of language models and tools. It can start no workflow and write no table but those of agents. */
await runPool({
  pool: 'agents',
  options: async ({ resources }) => ({
    activities: await agentActivities(resources),
    // Each call of the embedded model is a child process that takes a processor.
    maxConcurrentActivityTaskExecutions: 2,
  }),
});

async function agentActivities({ config, bao, store, database }: Resources): Promise<AgentActivities> {
  const pool = await database();
  const registry = new SecretRegistry();
  registry.add('database-password', await ownPassword());
  const steps = new AgentStore(pool);
  return createAgentActivities({
    store,
    steps,
    conversations: new Conversations(store),
    logins: new TaskLogins({
      vault: bao,
      store: steps,
      connect: (login) => createPool(config, login, { max: 2, allowExitOnIdle: true }),
      registry,
    }),
    models: chatModels({ llm: config.llm, apiKey }),
    policy: await ToolPolicy.load(),
    guard: new Guard({ registry }),
    note: journal(new AuditLog(pool)),
  });

  async function ownPassword(): Promise<string> {
    return z.object({ password: z.string() }).parse(await bao.kvRead(`saip/postgres/${config.process}`)).password;
  }

  /** @throws BaoError; AgentError CHAT_MODEL_NOT_CONFIGURED when the secret has no such field */
  async function apiKey(field: string): Promise<string> {
    const key = (await bao.kvRead('saip/llm'))[field];
    if (key === undefined) {
      throw new AgentError('CHAT_MODEL_NOT_CONFIGURED', `OpenBao's secret/saip/llm has no field ${field}.`);
    }
    registry.add('llm-api-key', key);
    return key;
  }
}
