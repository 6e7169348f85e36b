import { z } from 'zod';
import type { AgentTool } from '../tools/tool.ts';

/** Longest text the embedded model may write as one string. */
const LONGEST = 240;
/** One word is no answer. */
const SHORTEST_ANSWER = 16;
/** Most words that an argument may be chosen from. */
const MOST_WORDS = 64;

type Schema = Readonly<Record<string, unknown>>;

export interface ReplyOptions {
  readonly tools: readonly Pick<AgentTool, 'name' | 'schema'>[];
  /** Whether the model may answer now, instead of calling a tool. */
  readonly mayAnswer: boolean;
  /** What people and tools have said: an argument with a pattern must be a word of it. */
  readonly said: string;
}

/**
 * What the embedded model may write: one call of one of the tools, or an answer. Optional arguments are left out, since
 * a grammar makes the model fill in every property that there is.
 */
export function replySchema({ tools, mayAnswer, said }: ReplyOptions): object {
  const answer = {
    type: 'object',
    properties: { answer: { type: 'string', minLength: SHORTEST_ANSWER, maxLength: LONGEST } },
  };
  const words = wordsOf(said);
  const calls = tools.map(({ name, schema }) => ({
    type: 'object',
    properties: { tool: { const: name }, arguments: argumentsSchema(z.toJSONSchema(schema) as Schema, words) },
  }));
  return { oneOf: mayAnswer || calls.length === 0 ? [...calls, answer] : calls };
}

function argumentsSchema({ properties = {}, required = [] }: Schema, words: readonly string[]): Schema {
  const kept = Object.entries(properties as Record<string, Schema>).filter(([name]) =>
    (required as string[]).includes(name),
  );
  return {
    type: 'object',
    properties: Object.fromEntries(kept.map(([name, schema]) => [name, bounded(schema, words)])),
  };
}

/** A name or a version is chosen from what was said; any other string is bounded in length. */
function bounded(schema: Schema, words: readonly string[]): Schema {
  const { type, pattern, maxLength } = schema;
  if (type !== 'string') throw new TypeError(`no grammar for ${JSON.stringify(schema)}`);
  const longest = typeof maxLength === 'number' ? Math.min(maxLength, LONGEST) : LONGEST;
  if (typeof pattern !== 'string') return { type, minLength: 1, maxLength: longest };
  const fitting = words.filter((word) => word.length <= longest && new RegExp(pattern, 'u').test(word));
  // Names of models look like names: prose has few words with a digit or a hyphen inside.
  const names = fitting.filter((word) => /[\d._-]/.test(word));
  const choice = (names.length > 0 ? names : fitting).slice(0, MOST_WORDS);
  return choice.length > 0 ? { enum: choice } : { type, minLength: 1, maxLength: longest };
}

function wordsOf(text: string): string[] {
  return [...new Set(text.split(/[^A-Za-z0-9._-]+/).map((word) => word.replace(/^[._-]+|[._-]+$/g, '')))].filter(
    Boolean,
  );
}
