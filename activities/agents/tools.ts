import { ToolDecision, ToolResult } from '../../contracts/agent-activities.ts';
import type { AgentActivities, CallArguments } from '../../contracts/agent-activities.ts';
import type { AgentDefinition } from '../../contracts/agent-task.ts';
import { AgentError, digestOf, findTool, once } from '../../lib/agents/index.ts';
import type { ToolOutcome } from '../../lib/agents/index.ts';
import { AgentViews, DatabaseError } from '../../lib/clients/index.ts';
import { actorOf, definitionOf } from './context.ts';
import type { AgentContext } from './context.ts';

type ToolActivities = Pick<AgentActivities, 'decideTool' | 'callTool' | 'authorizeEffect'>;

/** A longer result would crowd out the question. */
const MOST_RESULT_BYTES = 16 * 2 ** 10;

/** What an agent may do, and doing it. */
export function toolActivities(context: AgentContext): ToolActivities {
  const { steps, note, policy } = context;
  return {
    decideTool: (argument) =>
      once(steps, {
        task: argument.task.run.key,
        step: `decide/${argument.step}.${argument.index}`,
        input: argument,
        result: ToolDecision,
        work: async () => {
          const definition = await definitionOf(context, argument.task);
          const decision = decide(context, definition, argument);
          const { call, step } = argument;
          const text = JSON.stringify(call.arguments);
          await note({
            ...entryOf(definition, argument, 'decided'),
            action: 'tool:decide',
            decision: decision.allow ? 'allow' : 'deny',
            detail: { rule: decision.rule, arguments: text, argumentsSha256: digestOf(call.arguments) },
          });
          const word = decision.allow ? 'allowed' : 'refused';
          return {
            result: decision,
            entries: [{ step, kind: 'decision', tool: call.tool, text, decision: word, rules: [decision.rule] }],
          };
        },
      }),

    callTool: (argument) =>
      once(steps, {
        task: argument.task.run.key,
        step: `call/${argument.step}.${argument.index}`,
        input: argument,
        result: ToolResult,
        work: () => callTool(context, argument),
      }),

    async authorizeEffect({ task, proposal, subjectDigest, approvedBy }) {
      const definition = await definitionOf(context, task);
      const { model, toVersion, reason } = proposal;
      const { requestedBy } = task.run;
      const { allow, rule } = policy.decide({
        agent: definition.name,
        model: task.model,
        phase: 'effect',
        tool: 'propose_rollback',
        arguments: { model, toVersion, reason },
        task: { requestedBy },
        approval: { by: approvedBy, subjectDigest },
        subjectDigest: digestOf(proposal),
      });
      await note({
        task: task.run.key,
        id: 'effect',
        actor: approvedBy,
        action: 'tool:effect',
        subject: `${model}@${toVersion}`,
        decision: allow ? 'allow' : 'deny',
        detail: { rule, subjectDigest, agent: definition.name, requestedBy },
      });
      if (!allow) throw new AgentError('FORBIDDEN', `The policy does not allow the rollback: ${rule}.`);
    },
  };
}

function entryOf(definition: AgentDefinition, { task, step, index, call }: CallArguments, what: string) {
  const id = `call/${step}.${index}/${what}`;
  return { task: task.run.key, id, actor: actorOf(definition), subject: `tool:${call.tool}` };
}

/** A tool that the agent does not ask for, or has no grant for, does not exist; arguments are the policy's to judge. */
function decide({ policy }: AgentContext, definition: AgentDefinition, argument: CallArguments): ToolDecision {
  const { call, task, proposals } = argument;
  if (!definition.tools.includes(call.tool)) return { allow: false, rule: 'no-grant', approval: false };
  if (call.malformed !== undefined) return { allow: false, rule: `malformed:${call.malformed}`, approval: false };
  return policy.decide({
    agent: definition.name,
    model: task.model,
    phase: 'call',
    tool: call.tool,
    arguments: call.arguments,
    proposals,
    task: { requestedBy: task.run.requestedBy },
  });
}

async function callTool(context: AgentContext, argument: CallArguments) {
  const { store, guard, note } = context;
  const { call, step } = argument;
  const definition = await definitionOf(context, argument.task);
  const decision = decide(context, definition, argument);
  if (!decision.allow) throw new AgentError('FORBIDDEN', `The policy does not allow this call: ${decision.rule}.`);
  const entry = { ...entryOf(definition, argument, 'started'), action: 'tool:call' };
  await note({ ...entry, decision: 'started', detail: { argumentsSha256: digestOf(call.arguments) } });
  const outcome = await run(context, argument);
  const { value, rules } = guard.data(bounded(outcome.value));
  const result = await store.putJson(value);
  const text = JSON.stringify(value);
  await note({
    ...entry,
    id: entryOf(definition, argument, 'done').id,
    decision: 'done',
    detail: { result: text, resultSha256: result.sha256, rules: rules.join(' ') },
  });
  const { proposal } = outcome;
  const subject = proposal === undefined ? undefined : await store.putJson(proposal);
  return {
    result: {
      result,
      ...(proposal && subject && { proposal: { content: proposal, subjectDigest: subject.sha256 } }),
    } satisfies ToolResult,
    entries: [{ step, kind: 'result' as const, tool: call.tool, text, rules: [...rules], sha256: result.sha256 }],
  };
}

/** A login that stopped working (revoked, expired) is replaced once. */
async function run(context: AgentContext, { call, task }: CallArguments): Promise<ToolOutcome> {
  const tool = findTool(call.tool);
  const given = tool?.schema.safeParse(call.arguments);
  if (tool === undefined || given?.success !== true) return { value: { error: 'The arguments are not valid.' } };
  const attempt = async (): Promise<ToolOutcome> => {
    const { pool } = await context.logins.use(task.run.key);
    return tool.run(given.data, { views: new AgentViews(pool) });
  };
  try {
    return await attempt();
  } catch (error) {
    if (!isRefusedLogin(error)) throw error;
    await context.logins.forget(task.run.key);
    return attempt();
  }
}

/** SQLSTATE class 28: invalid authorization specification. */
function isRefusedLogin(error: unknown): boolean {
  if (!(error instanceof DatabaseError) || typeof error.cause !== 'object' || error.cause === null) return false;
  return String(Reflect.get(error.cause, 'code')).startsWith('28');
}

function bounded(value: unknown): unknown {
  const tooLong = Buffer.byteLength(JSON.stringify(value)) > MOST_RESULT_BYTES;
  return tooLong ? { error: 'The result is too long; ask for less.' } : value;
}
