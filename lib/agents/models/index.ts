import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { AgentDefinition, ChatModelName } from '../../../contracts/agent-task.ts';
import type { SaipConfig } from '../../config/index.ts';
import { AgentError } from '../errors.ts';
import { EmbeddedChatModel } from './embedded.ts';
import { remoteChatModel } from './remote.ts';

export type LlmSettings = SaipConfig['llm'];

/** Chat models that the settings allow a task to use. */
export function configuredModels({ file, url }: Pick<LlmSettings, 'file' | 'url'>): ChatModelName[] {
  return [...(file === undefined ? [] : ['embedded' as const]), ...(url === undefined ? [] : ['remote' as const])];
}

export interface ChatModelRequest {
  readonly name: ChatModelName;
  readonly settings: AgentDefinition['model'];
  readonly onProgress?: () => void;
}

/** Makes the chat model of one call. */
export type ChatModels = (request: ChatModelRequest) => Promise<BaseChatModel>;

export interface ChatModelsOptions {
  readonly llm: LlmSettings;
  /** Reads the API key that `llm.key` names. */
  readonly apiKey: (field: string) => Promise<string>;
}

/** The models that are configured. @throws AgentError CHAT_MODEL_NOT_CONFIGURED (when called) */
export function chatModels({ llm, apiKey }: ChatModelsOptions): ChatModels {
  return async ({ name, settings, onProgress }) => {
    if (name === 'embedded' && llm.file !== undefined) {
      return new EmbeddedChatModel({
        ...settings,
        file: llm.file,
        threads: llm.threads,
        ...(onProgress && { onProgress }),
      });
    }
    if (name === 'remote' && llm.url !== undefined) {
      const key = llm.key === undefined ? undefined : await apiKey(llm.key);
      return remoteChatModel({ ...settings, url: llm.url, name: llm.name, apiKey: key });
    }
    throw new AgentError('CHAT_MODEL_NOT_CONFIGURED', `The chat model ${name} is not configured.`, { field: 'model' });
  };
}
