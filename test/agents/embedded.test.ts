import { describe, expect, it } from '@jest/globals';
import { HumanMessage, SystemMessage } from '@langchain/core/messages';
import { loadToolchain } from '../../infra/local/index.ts';
import { chatModels, loadAgent, think } from '../../lib/agents/index.ts';
import { Guard, SecretRegistry } from '../../lib/guardrails/index.ts';

const SECONDS = 1000;

const guard = new Guard({ registry: new SecretRegistry() });
const models = chatModels({
  llm: { model: 'embedded', file: loadToolchain().llmModel, threads: 1, name: 'default' },
  apiKey: () => Promise.reject(new Error('the embedded model has no key')),
});

async function turn(onProgress: () => void, tools: string[], signal?: AbortSignal) {
  const settings = { ...loadAgent('model-analyst').model, maxTokens: 48 };
  const model = await models({ name: 'embedded', settings, onProgress });
  const messages = [new SystemMessage('Use the tools.'), new HumanMessage('How accurate is mnist-cnn?')];
  return think({ model, messages, tools, guard, step: 1, ...(signal && { signal }) });
}

describe('the embedded model, in a child process', () => {
  it(
    'calls a tool in the form of its schema, and reports while it works',
    async () => {
      let progress = 0;
      const { calls, tokens } = await turn(() => (progress += 1), ['get_run_metrics']);
      expect(calls).toEqual([{ id: 'call_1_0', tool: 'get_run_metrics', arguments: { model: 'mnist-cnn' } }]);
      expect(tokens).toBeGreaterThan(50);
      expect(progress).toBeGreaterThan(5);
    },
    90 * SECONDS,
  );

  it(
    'is killed by a cancellation',
    async () => {
      const controller = new AbortController();
      const reason = new Error('cancelled');
      const asked = turn(() => controller.abort(reason), ['list_models'], controller.signal);
      await expect(asked).rejects.toBe(reason);
    },
    90 * SECONDS,
  );
});
