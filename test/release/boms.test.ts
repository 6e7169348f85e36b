import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import canonicalize from 'canonicalize';
import { CHECKOUT, loadToolchain } from '../../infra/local/toolchain.ts';
import { platformBom } from '../../lib/release/index.ts';
import { sha256 } from '../support/local-transit.ts';
import { MadeRelease } from './support/made-release.ts';

/** The official JSON schema, from the package of the CycloneDX project. */
async function schemaProblems(text: string): Promise<unknown> {
  return new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text);
}

interface Component {
  name: string;
  version?: string;
  purl?: string;
}

describe('the bill of materials of a model', () => {
  let made: MadeRelease;
  let text: string;
  beforeAll(async () => {
    made = await (await MadeRelease.begin()).write();
    text = await readFile(join(made.folder, 'bom/model.cdx.json'), 'utf8');
  });
  afterAll(() => made.remove());

  it('is CycloneDX 1.6', async () => {
    expect(await schemaProblems(text)).toBeNull();
    const spoilt = text.replace('"machine-learning-model"', '"neural-network"');
    expect(await schemaProblems(spoilt)).not.toBeNull();
  });

  it('holds measured values with their intervals, hashes, data and licence', () => {
    const bom = JSON.parse(text) as { metadata: { component: unknown }; components: unknown[] };
    expect(bom.metadata.component).toMatchObject({
      type: 'machine-learning-model',
      name: 'mnist-softmax',
      version: '3',
      hashes: [{ alg: 'SHA-256', content: sha256('graph') }],
      modelCard: {
        modelParameters: { task: 'multiclass classification', datasets: [{ ref: 'dataset' }] },
        quantitativeAnalysis: {
          performanceMetrics: expect.arrayContaining([
            {
              type: 'accuracy',
              value: '0.92',
              slice: 'test split of mnist',
              confidenceInterval: { lowerBound: '0.91', upperBound: '0.93' },
            },
          ]),
        },
      },
    });
    expect(bom.components).toContainEqual(
      expect.objectContaining({
        'bom-ref': 'dataset',
        type: 'data',
        licenses: [{ license: expect.objectContaining({ url: 'https://creativecommons.org/licenses/by-sa/3.0/' }) }],
      }),
    );
  });
});

describe('the bill of materials of the platform', () => {
  it('is what the lock files pin, the same each time', async () => {
    const options = { syft: loadToolchain().syft, checkout: CHECKOUT };
    const [first, second] = await Promise.all([platformBom(options), platformBom(options)]);
    const text = canonicalize(first.bom) ?? '';
    expect(canonicalize(second.bom)).toBe(text);
    expect(await schemaProblems(text)).toBeNull();
    expect(text).not.toContain(tmpdir());

    const found = (first.bom['components'] as Component[]).map(({ purl }) => purl);
    const lock = JSON.parse(await readFile(join(CHECKOUT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string }>;
    };
    expect(found).toContain(`pkg:npm/zod@${lock.packages['node_modules/zod']?.version}`);
    const python = await readFile(join(CHECKOUT, 'infra/toolchain/requirements.lock'), 'utf8');
    expect(found).toContain(`pkg:pypi/mlflow@${/^mlflow==(\S+)/m.exec(python)?.[1]}`);
    expect(first.components).toBe(found.length);
  }, 60_000);

  it('is not made without Syft', async () => {
    const none = { code: 'TOOL_MISSING' };
    await expect(platformBom({ syft: undefined, checkout: CHECKOUT })).rejects.toMatchObject(none);
    await expect(platformBom({ syft: '/nowhere/syft', checkout: CHECKOUT })).rejects.toMatchObject(none);
  });

  it('is not made of what a broken Syft says', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'saip-syft-'));
    try {
      for (const script of ['exit 1', 'echo "{}"', 'echo no']) {
        const syft = join(folder, 'syft');
        await writeFile(syft, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        await expect(platformBom({ syft, checkout: CHECKOUT })).rejects.toMatchObject({ code: 'SBOM_FAILED' });
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
