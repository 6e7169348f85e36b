import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { AnswerKind } from '../../../contracts/extraction.ts';
import type { Extraction } from '../../../contracts/extraction.ts';
import type { ModelConfig } from '../../../contracts/model-config.ts';
import type { PreparedManifest } from '../../../contracts/prepared-data.ts';
import { ArtifactRef } from '../../../contracts/reference.ts';

/** One substitute as it is stored, with what the next one needs to go on from it. */
export const SubstituteResult = z.strictObject({
  answers: AnswerKind,
  queries: z.int(),
  /** Network of the substitute. */
  substitute: z.string(),
  /** Class of each unseen sample. */
  predicted: z.array(z.int()),
  /** Queries that were made of others, and the answers to them: float32, row-major; absent where there are none. */
  made: z.strictObject({ count: z.int(), rounds: z.int(), x: ArtifactRef, y: ArtifactRef }).optional(),
  /** In training, making and predicting since the substitute before. */
  seconds: z.number(),
  deviceClass: z.string(),
});
export type SubstituteResult = z.infer<typeof SubstituteResult>;

/** SHA-256 over everything that decides a curve but the model and the device. */
export function extractionDigest(
  extraction: Extraction,
  { splits: { test } }: PreparedManifest,
  substitute: ModelConfig,
): string {
  const subject = { extraction, substitute, x: test.x.sha256, y: test.y.sha256 };
  return createHash('sha256')
    .update(canonicalize(subject) ?? '')
    .digest('hex');
}

/** Sizes of the training sets of all substitutes, ascending: those that are measured, and those that make more queries. */
export function trainingSizes({ queries }: Pick<Extraction, 'queries'>, own: number): number[] {
  const sizes = new Set<number>();
  let known = 0;
  for (const wanted of queries) {
    for (known = Math.max(known, Math.min(wanted, own)); known < wanted; known = Math.min(wanted, 2 * known)) {
      sizes.add(known);
    }
    sizes.add(wanted);
  }
  return [...sizes];
}
