import { getLlama, LlamaChat } from 'node-llama-cpp';
import type { ChatHistoryItem } from 'node-llama-cpp';
import { serveChild } from '../../heavy/index.ts';
import { AgentError } from '../errors.ts';
import type { LlamaJob, LlamaProgress, LlamaReply, LlamaTurn } from './llama-job.ts';

/** SmolLM2's own limit is 8,192; half of it keeps the child small. */
const CONTEXT_TOKENS = 4096;
/** Prompt tokens between two reports, so that a long prompt is not taken for silence. */
const BATCH_TOKENS = 256;

serveChild(async (job: LlamaJob, report: (progress: LlamaProgress) => void): Promise<LlamaReply> => {
  // The packaged CPU binary or nothing: no build and no download at run time.
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    maxThreads: job.threads,
    debug: false,
  });
  const model = await llama.loadModel({ modelPath: job.file, gpuLayers: 0 });
  report({ tokens: 0 });
  const context = await model.createContext({
    contextSize: CONTEXT_TOKENS,
    batchSize: BATCH_TOKENS,
    threads: job.threads,
  });
  const sequence = context.getSequence();
  const chat = new LlamaChat({ contextSequence: sequence });
  const prompt = job.turns.reduce((sum, { text }) => sum + model.tokenize(text).length, 0);
  if (prompt + job.maxTokens > CONTEXT_TOKENS) {
    throw new AgentError('LLM_REJECTED', `The conversation is too long for this model: ${prompt} tokens.`);
  }
  const grammar = await llama.createGrammarForJsonSchema(
    job.schema as Parameters<typeof llama.createGrammarForJsonSchema>[0],
  );
  let answered = 0;
  const { response, metadata } = await chat.generateResponse(job.turns.map(item), {
    grammar,
    temperature: job.temperature,
    seed: job.seed,
    repeatPenalty: { lastTokens: 64, penalty: 1.15 },
    maxTokens: job.maxTokens,
    onToken: (tokens) => report({ tokens: (answered += tokens.length) }),
  });
  return {
    text: response,
    promptTokens: sequence.tokenMeter.usedInputTokens,
    answerTokens: sequence.tokenMeter.usedOutputTokens,
    complete: metadata.stopReason !== 'maxTokens',
  };
});

function item({ type, text }: LlamaTurn): ChatHistoryItem {
  return type === 'model' ? { type, response: [text] } : { type, text };
}
