import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { ArtifactRef } from '../../contracts/reference.ts';
import type { CachedStage, StepEnvironment } from '../../contracts/step-cache.ts';

/** All that decides the result of a stage. */
export interface KeyMaterial {
  readonly schema: 1;
  readonly tenant: string;
  readonly stage: CachedStage;
  /** Parameters and inputs, artifacts by their SHA-256 alone. */
  readonly inputs: unknown;
  readonly environment: StepEnvironment;
  /** Digest of the stage's code. */
  readonly code: string;
}

type Arguments = Readonly<Record<string, unknown>>;

/** Arguments that say who asks, and change nothing about the result. */
const WHO = new Set(['run', 'keep']);

/** SHA-256 over the canonical JSON (RFC 8785) of the material, lower-case hexadecimal. */
export function stepKey(material: KeyMaterial): string {
  return createHash('sha256')
    .update(canonicalize(material) ?? '')
    .digest('hex');
}

/**
 * What the arguments of a stage's activity contribute to its key. Everything counts that is not known not to matter, so
 * that a parameter which is added later is part of the key at once.
 */
export function inputsOf(stage: CachedStage, args: Arguments): unknown {
  const kept = Object.fromEntries(Object.entries(args).filter(([name]) => !WHO.has(name)));
  return digestsOnly(stage === 'evaluate' ? { ...kept, trained: whatIsEvaluated(kept['trained']) } : kept);
}

/** Seconds and tags tell of the run that trained, not of what it made. */
function whatIsEvaluated(trained: unknown): unknown {
  const { weights, history } = trained as Arguments;
  return { weights, history };
}

/** Replaces each reference by the digest of its bytes: where they lie, or what they are called, decides nothing. */
function digestsOnly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(digestsOnly);
  if (typeof value !== 'object' || value === null) return value;
  const ref = ArtifactRef.safeParse(value);
  if (ref.success) return ref.data.sha256;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, digestsOnly(part)]));
}
