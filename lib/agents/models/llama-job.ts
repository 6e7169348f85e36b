/** One turn of a chat, as the child process gets it. */
export interface LlamaTurn {
  readonly type: 'system' | 'user' | 'model';
  readonly text: string;
}

export interface LlamaJob {
  /** GGUF. */
  readonly file: string;
  readonly threads: number;
  readonly turns: readonly LlamaTurn[];
  /** JSON Schema in the subset that node-llama-cpp turns into a grammar. */
  readonly schema: object;
  readonly temperature: number;
  readonly seed: number;
  readonly maxTokens: number;
}

export interface LlamaProgress {
  readonly tokens: number;
}

export interface LlamaReply {
  /** JSON of the schema; cut off where the tokens ran out. */
  readonly text: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly complete: boolean;
}
