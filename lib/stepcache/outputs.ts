import { z } from 'zod';
import { ArtifactRef, Sha256 } from '../../contracts/reference.ts';
import type { CachedStage } from '../../contracts/step-cache.ts';
import { EvaluationSummary } from '../../contracts/train-register-deploy.ts';
import type { ArtifactStore } from '../artifacts/index.ts';

/** What each stage gives back (contracts/activities.ts), as far as a reader relies on it. */
const OUTPUTS: Readonly<Record<CachedStage, z.ZodType>> = {
  prepareData: z.looseObject({ manifest: ArtifactRef, cardSha256: Sha256, dataSha256: Sha256 }),
  train: z.looseObject({
    weights: ArtifactRef,
    history: ArtifactRef,
    steps: z.int(),
    seconds: z.number(),
    tags: z.record(z.string(), z.string()),
  }),
  evaluate: z.looseObject({
    summary: EvaluationSummary,
    report: ArtifactRef,
    logits: ArtifactRef,
    plots: z.record(z.string(), ArtifactRef),
  }),
  exportOnnx: z.looseObject({ onnx: ArtifactRef, maxAbsDifference: z.number(), samples: z.int() }),
};

/** Whether a value has the form of the stage's result. */
export function isOutput(stage: CachedStage, value: unknown): boolean {
  return OUTPUTS[stage].safeParse(value).success;
}

/** Every artifact that a result names, and those that a manifest among them names. @throws ArtifactError */
export async function artifactsOf(
  stage: CachedStage,
  output: unknown,
  store: Pick<ArtifactStore, 'readJson'>,
): Promise<ArtifactRef[]> {
  const named = refsIn(output);
  const manifests = stage === 'prepareData' ? named : [];
  const nested = await Promise.all(manifests.map(async (ref) => refsIn(await store.readJson(ref, z.unknown()))));
  return [...new Map([...named, ...nested.flat()].map((ref) => [ref.sha256, ref])).values()];
}

function refsIn(value: unknown): ArtifactRef[] {
  if (typeof value !== 'object' || value === null) return [];
  const ref = ArtifactRef.safeParse(value);
  return ref.success ? [ref.data] : Object.values(value).flatMap(refsIn);
}
