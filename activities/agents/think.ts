import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { BaseMessage } from '@langchain/core/messages';
import { z } from 'zod';
import { Thought } from '../../contracts/agent-activities.ts';
import type { AgentActivities, ToolAnswer } from '../../contracts/agent-activities.ts';
import { digestOf, modelMessage, once, think, toolMessage } from '../../lib/agents/index.ts';
import type { ModelTurn } from '../../lib/agents/index.ts';
import { actorOf, definitionOf } from './context.ts';
import type { AgentContext } from './context.ts';

/**
 * Beats of a timer say that this worker lives, and carry a cancellation back. What hangs is ended elsewhere: a request
 * by its time limit, a child process by its silence.
 */
const BEAT_MS = 2000;

type Argument = Parameters<AgentActivities['think']>[0];

/** One call of the model. */
export function thinkActivity(context: AgentContext): AgentActivities['think'] {
  return (argument) =>
    once(context.steps, {
      task: argument.task.run.key,
      step: `think/${argument.step}`,
      input: argument,
      result: Thought,
      work: async () => {
        const { conversations } = context;
        const earlier = await conversations.read(argument.conversation);
        const messages = [...earlier, ...(await answersOf(context, argument.answers))];
        const turn = await ask(context, argument, messages);
        const conversation = await conversations.write([...messages, modelMessage(turn.text, turn.calls)]);
        return {
          result: { conversation, calls: [...turn.calls], text: turn.text, tokens: turn.tokens },
          entries: [
            {
              step: argument.step,
              kind: 'thought',
              text: describe(turn),
              rules: [...turn.rules],
              sha256: conversation.sha256,
            },
          ],
        };
      },
    });
}

async function ask(context: AgentContext, { task, step }: Argument, messages: BaseMessage[]): Promise<ModelTurn> {
  const { models, policy, guard, note } = context;
  const definition = await definitionOf(context, task);
  const tools = policy.granted(definition, task.model).map(({ tool }) => tool);
  // The prompt is kept whole under its digest; the entry shows what is new in it.
  const prompt = await context.conversations.write(messages);
  const entry = { task: task.run.key, actor: actorOf(definition), action: 'model:call', subject: `llm:${task.model}` };
  await note({
    ...entry,
    id: `think/${step}/asked`,
    decision: 'asked',
    detail: { promptSha256: prompt.sha256, prompt: messages.at(-1)?.text ?? '', tools: tools.join(' ') },
  });
  const signal = cancellationSignal();
  const beat = setInterval(() => heartbeat(), BEAT_MS);
  try {
    const model = await models({ name: task.model, settings: definition.model });
    const turn = await think({ model, messages, tools, guard, step, signal });
    const reply = describe(turn);
    await note({
      ...entry,
      id: `think/${step}/answered`,
      decision: turn.calls.length === 0 ? 'answered' : 'called',
      detail: { reply, replySha256: digestOf(reply), tokens: String(turn.tokens), rules: turn.rules.join(' ') },
    });
    return turn;
  } finally {
    clearInterval(beat);
  }
}

async function answersOf({ store }: AgentContext, answers: readonly ToolAnswer[]): Promise<BaseMessage[]> {
  const messages: BaseMessage[] = [];
  for (const { id, tool, result, refusal } of answers) {
    const content = result === undefined ? { error: refusal ?? 'no result' } : await store.readJson(result, z.json());
    messages.push(toolMessage({ id, tool }, content));
  }
  return messages;
}

function describe({ text, calls }: Pick<ModelTurn, 'text' | 'calls'>): string {
  const called = calls.map(({ tool, arguments: args, malformed }) => `${tool}(${malformed ?? JSON.stringify(args)})`);
  return [text, ...called].filter((part) => part !== '').join('\n');
}
