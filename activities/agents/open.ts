import { OpenedTask, Screened } from '../../contracts/agent-activities.ts';
import type { AgentActivities } from '../../contracts/agent-activities.ts';
import { digestOf, loadAgent, once } from '../../lib/agents/index.ts';
import { actorOf, definitionOf } from './context.ts';
import type { AgentContext } from './context.ts';

type TextActivities = Pick<AgentActivities, 'openAgentTask' | 'screenAnswer' | 'writeTranscript'>;

/** Where text enters and leaves a task. */
export function textActivities(context: AgentContext): TextActivities {
  const { store, steps, conversations, guard, note } = context;
  return {
    openAgentTask: ({ run, agent, question }) =>
      once(steps, {
        task: run.key,
        step: 'open',
        input: { agent, question },
        result: OpenedTask,
        work: async () => {
          const definition = loadAgent(agent);
          const { action, value: text, rules } = guard.question(question);
          await note({
            task: run.key,
            id: 'open',
            actor: run.requestedBy,
            action: 'agent:ask',
            subject: actorOf(definition),
            decision: action,
            detail: { question: text, questionSha256: digestOf(question), rules: rules.join(' ') },
          });
          const result: OpenedTask = {
            definition: await store.putJson(definition),
            conversation: await conversations.begin(definition.system, text),
            screened: { action, text, rules: [...rules] },
          };
          return {
            result,
            entries: [
              { step: 0, kind: 'question', text, decision: action, rules: [...rules], sha256: digestOf(question) },
            ],
          };
        },
      }),

    screenAnswer: ({ task, answer }) =>
      once(steps, {
        task: task.run.key,
        step: 'answer',
        input: { answer },
        result: Screened,
        work: async () => {
          const { action, value: text, rules } = guard.answer(answer);
          await note({
            task: task.run.key,
            id: 'answer',
            actor: actorOf(await definitionOf(context, task)),
            action: 'agent:answer',
            subject: task.run.requestedBy,
            decision: action,
            detail: { answer: text, answerSha256: digestOf(text), rules: rules.join(' ') },
          });
          return {
            result: { action, text, rules: [...rules] },
            entries: [{ step: 0, kind: 'answer', text, decision: action, rules: [...rules] }],
          };
        },
      }),

    writeTranscript: async ({ run }) => store.putJson({ version: 1, entries: await steps.transcript(run.key) }),
  };
}
