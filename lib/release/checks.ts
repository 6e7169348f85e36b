import { z } from 'zod';
import { DecisionDocument, RELEASE_FILES, type ReleaseManifest } from '../../contracts/release.ts';
import { MODEL_FILES } from '../../contracts/registry.ts';
import { ReleaseError } from './errors.ts';

/** One thing that was found to be right. */
export interface Check {
  readonly name: string;
  readonly detail: string;
}

/** Reads and parses a file of the release whose digest was verified. @throws ReleaseError */
export type ReleaseReader = <T>(path: string, schema: z.ZodType<T>) => Promise<T>;

const REQUIRED = ['dataCard', 'metrics', 'lineage'] as const;

/** Every release brings these, whatever its policy asked for. @throws ReleaseError RELEASE_EVIDENCE_MISSING */
export function checkEvidence(manifest: ReleaseManifest): Check {
  const kinds = manifest.evidence.map(({ kind }) => kind);
  const missing = REQUIRED.find((kind) => !kinds.includes(kind));
  if (missing !== undefined) throw evidenceMissing(`The release brings no evidence of the kind ${missing}.`, missing);
  const lost = manifest.evidence.find(({ path }) => !Object.hasOwn(manifest.files, path));
  if (lost !== undefined) throw evidenceMissing(`${lost.path} is missing.`, lost.path);
  return { name: 'evidence', detail: kinds.join(', ') };
}

/**
 * Policy allowed this very release, and where it asked for another person, another person agreed.
 * @throws ReleaseError RELEASE_POLICY_DENIED, RELEASE_INVALID
 */
export async function checkDecision(manifest: ReleaseManifest, read: ReleaseReader): Promise<Check> {
  const { input, answer, policy } = await read(RELEASE_FILES.decision, DecisionDocument);
  const { model, version, digest } = input.version;
  if (model !== manifest.model || version !== manifest.version || digest !== manifest.digest) {
    throw invalid('The decision is about another model.', RELEASE_FILES.decision);
  }
  for (const { kind, path } of manifest.evidence) {
    if (input.evidence[kind]?.sha256 === manifest.files[path]?.sha256) continue;
    throw invalid(`The decision was made on another ${kind}.`, path);
  }
  if (!answer.allow) throw denied(`Policy refused this release: ${answer.reasons.join('; ')}.`);
  if (answer.rule !== manifest.policy.rule)
    throw invalid('The manifest names another decision.', RELEASE_FILES.manifest);
  const approver = manifest.approval?.by;
  if (answer.requireApproval && (approver === undefined || approver === manifest.requestedBy)) {
    throw denied('Policy asked for another person, and none agreed.');
  }
  const by = approver === undefined ? '' : `, approved by ${approver}`;
  return { name: 'policy', detail: `${answer.rule}, policy ${policy.sha256.slice(0, 12)}${by}` };
}

const Hashes = z.array(z.object({ alg: z.string(), content: z.string() }));
const Bom = z.object({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.object({
    component: z.object({ name: z.string(), version: z.string().optional(), hashes: Hashes.optional() }),
  }),
  components: z.array(z.unknown()).min(1),
});

/** Both bills of materials are those that policy saw, and one is about this model. @throws ReleaseError RELEASE_INVALID */
export async function checkBoms(manifest: ReleaseManifest, read: ReleaseReader): Promise<Check> {
  const { boms } = (await read(RELEASE_FILES.decision, DecisionDocument)).input;
  for (const [path, seen] of [
    [RELEASE_FILES.platformBom, boms.platform],
    [RELEASE_FILES.modelBom, boms.model],
  ] as const) {
    if (manifest.files[path]?.sha256 !== seen.sha256) throw invalid('Policy saw another bill of materials.', path);
  }
  const platform = await read(RELEASE_FILES.platformBom, Bom);
  const model = await read(RELEASE_FILES.modelBom, Bom);
  const { name, version, hashes = [] } = model.metadata.component;
  const graph = manifest.files[`${RELEASE_FILES.model}${MODEL_FILES.onnx}`]?.sha256;
  const same = hashes.some(({ alg, content }) => alg === 'SHA-256' && content === graph);
  if (name !== manifest.model || version !== manifest.version || !same) {
    throw invalid('The bill of materials is about another model.', RELEASE_FILES.modelBom);
  }
  return {
    name: 'bills of materials',
    detail: `platform ${platform.components.length} components, model ${model.components.length}`,
  };
}

function evidenceMissing(message: string, field: string): ReleaseError {
  return new ReleaseError('RELEASE_EVIDENCE_MISSING', message, { field });
}

function denied(message: string): ReleaseError {
  return new ReleaseError('RELEASE_POLICY_DENIED', message, { field: RELEASE_FILES.decision });
}

function invalid(message: string, field: string): ReleaseError {
  return new ReleaseError('RELEASE_INVALID', message, { field });
}
