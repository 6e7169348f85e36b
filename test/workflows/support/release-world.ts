import type { PolicyAnswer } from '../../../contracts/release.ts';
import type { SignAndReleaseActivities } from '../../../contracts/release-activities.ts';
import { SaipError } from '../../../contracts/errors.ts';
import { ReleaseInput } from '../../../contracts/sign-and-release.ts';
import { ref } from './refs.ts';

export const DECISION = ref('decision').sha256;

export function releaseInput(changes: Partial<ReleaseInput> = {}): ReleaseInput {
  return ReleaseInput.parse({
    model: 'tiny',
    version: '1',
    risk: 'medium',
    requireAttackReport: false,
    approval: {},
    requestedBy: 'releaser-1',
    ...changes,
  });
}

/** What is published and signed, in memory. */
export class ReleaseWorld {
  /** `model@version` → manifest. */
  readonly published = new Map<string, string>();
  readonly mirrored: string[] = [];
  signatures = 0;
  answer: PolicyAnswer = { allow: true, requireApproval: false, reasons: [], rule: 'allow' };

  activities(): SignAndReleaseActivities {
    const manifest = ref('manifest of the release');
    return {
      collectEvidence: async ({ input: { model, version } }) => {
        if (this.published.has(`${model}@${version}`)) {
          throw new SaipError('RELEASE_EXISTS', `Version ${version} of ${model} is released already.`);
        }
        const evidence = (['dataCard', 'metrics', 'lineage'] as const).map((kind) => ({
          kind,
          path: kind,
          ref: ref(kind),
        }));
        const rest = { files: {}, signature: ref('signature'), signatureValid: true, withdrawn: false, findings: [] };
        return { model, version, digest: ref('model').sha256, evidence, ...rest };
      },
      writePlatformBom: async () => ({ ref: ref('platform'), components: 700 }),
      writeModelBom: async () => ({ ref: ref('model bom'), components: 5 }),
      decideRelease: async () => ({ answer: this.answer, document: ref('decision') }),
      signRelease: async () => {
        this.signatures += 1;
        return { digest: ref('model').sha256, signature: ref('release signature') };
      },
      writeProvenance: async () => {
        this.signatures += 1;
        return { manifest, provenance: ref('provenance') };
      },
      publishRelease: async ({ run }) => {
        this.published.set('tiny@1', manifest.sha256);
        return {
          model: 'tiny',
          version: '1',
          digest: ref('model').sha256,
          manifestSha256: manifest.sha256,
          workflowId: run.key,
          requestedBy: run.requestedBy,
          publishedAt: '2026-01-01T00:00:00.000000Z',
          files: 14,
        };
      },
      verifyRelease: async ({ model, version, manifestSha256 }) => ({
        model,
        version,
        digest: ref('model').sha256,
        manifestSha256,
        key: ref('key').sha256,
        builder: 'urn:test',
        workflowId: 'release',
        files: 14,
        checks: [{ name: 'provenance', detail: 'fine' }],
      }),
      withdrawRelease: async ({ model, version }) => {
        this.published.delete(`${model}@${version}`);
      },
      mirrorRelease: async ({ model, version }) => {
        this.mirrored.push(`${model}@${version}`);
      },
    };
  }
}
