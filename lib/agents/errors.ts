import { SaipError } from '../../contracts/errors.ts';

export type AgentErrorCode =
  | 'AGENT_UNKNOWN'
  | 'AGENT_QUESTION_REFUSED'
  | 'CHAT_MODEL_NOT_CONFIGURED'
  | 'LLM_UNAVAILABLE'
  | 'LLM_REJECTED'
  | 'FORBIDDEN';

/** An agent, its chat model or one of its tools could not do what was asked, or may not. */
export class AgentError extends SaipError<AgentErrorCode> {
  override readonly name = 'AgentError';
}
