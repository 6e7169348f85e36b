import { z } from 'zod';
import { Name } from '../../contracts/reference.ts';

const DEFAULT_ALIAS = 'champion';

/** `model` for its champion, `model@alias` for another one. */
export const ModelAtAlias = z
  .string()
  .max(129)
  .transform((text, context) => {
    const [model, alias = DEFAULT_ALIAS, ...rest] = text.split('@');
    const parsed = z.strictObject({ model: Name, alias: Name }).safeParse({ model, alias });
    if (parsed.success && rest.length === 0) return parsed.data;
    context.addIssue({ code: 'custom', message: 'a model name, or model@alias' });
    return z.NEVER;
  })
  .meta({ override: { type: 'string' }, examples: ['mnist-cnn', 'mnist-cnn@challenger'] });

/** Why a model that was named may not answer. */
export const MODEL_ERRORS = [
  'MODEL_UNKNOWN',
  'MODEL_NOT_READY',
  'MODEL_LOAD_FAILED',
  'MODEL_UNLOADED',
  'SIGNATURE_MISSING',
  'SIGNATURE_INVALID',
  'ARTIFACT_DIGEST_MISMATCH',
] as const;

/** Why a caller may not ask now, or may not ask this. */
export const GUARD_ERRORS = ['RATE_LIMITED', 'QUOTA_EXCEEDED', 'MISUSE_STOPPED', 'INPUT_OUT_OF_RANGE'] as const;
