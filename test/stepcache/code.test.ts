import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { stageCode } from '../../lib/stepcache/index.ts';
import type { StageCode } from '../../lib/stepcache/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');

let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'saip-code-'));
  for (const [name, text] of Object.entries(FILES)) write(name, text);
});
afterEach(() => rmSync(checkout, { recursive: true }));

const FILES = {
  'package-lock.json': '{}',
  'stage/index.ts': `import { a } from '../lib/a.ts';\nimport type { T } from '../lib/types.ts';\nexport const run = a;\n`,
  'lib/a.ts': `export { b as a } from './b.ts';\nexport const entry = new URL('child.ts', import.meta.url);\n`,
  'lib/b.ts': `const presets = new URL("./presets/", import.meta.url);\nexport const b = () => import('./late.ts');\n`,
  'lib/child.ts': `import './grandchild.ts';\n`,
  'lib/grandchild.ts': `import pg from 'pg';\n`,
  'lib/late.ts': `export {};\n`,
  'lib/presets/one.json': `{"epochs": 1}`,
  'lib/types.ts': `export interface T {}\n`,
  'lib/unrelated.ts': `export {};\n`,
};

function write(name: string, text: string): void {
  mkdirSync(dirname(join(checkout, name)), { recursive: true });
  writeFileSync(join(checkout, name), text);
}

const code = (): Promise<StageCode> => stageCode({ checkout, entry: 'stage/index.ts', locks: ['package-lock.json'] });

describe('the code of a stage', () => {
  it('is every file that runs in it, and what it reads', async () => {
    const unused = ['lib/types.ts', 'lib/unrelated.ts'];
    expect((await code()).files).toEqual(
      Object.keys(FILES)
        .filter((name) => !unused.includes(name))
        .sort(),
    );
  });

  it.each([
    'stage/index.ts',
    'lib/b.ts',
    'lib/grandchild.ts',
    'lib/late.ts',
    'lib/presets/one.json',
    'package-lock.json',
  ])('changes with %s', async (name) => {
    const before = await code();
    write(name, `${readFileSync(join(checkout, name), 'utf8')} `);
    expect((await code()).sha256).not.toBe(before.sha256);
    expect(await before.unchanged()).toBe(false);
  });

  it.each(['lib/unrelated.ts', 'lib/types.ts', 'docs/page.md'])('does not change with %s', async (name) => {
    const before = await code();
    write(name, 'export const changed = 1;\n');
    expect((await code()).sha256).toBe(before.sha256);
    expect(await before.unchanged()).toBe(true);
  });

  it('changes when a preset is added', async () => {
    const before = await code();
    write('lib/presets/two.json', '{}');
    expect((await code()).sha256).not.toBe(before.sha256);
  });

  it('is not guessed where a file is missing or broken', async () => {
    write('lib/late.ts', 'import {');
    await expect(code()).rejects.toMatchObject({
      code: 'STEP_CODE_UNREADABLE',
      field: expect.stringContaining('late.ts'),
    });
    rmSync(join(checkout, 'lib/late.ts'));
    await expect(code()).rejects.toMatchObject({ code: 'STEP_CODE_UNREADABLE' });
  });
});

/** What modules ask `import.meta` for beside naming files: to find packages, which the lock files stand for. */
const OTHER_USES = ['createRequire(import.meta.url)', "join(import.meta.dirname, '..', '..')"];

describe.each(['data', 'training', 'evaluation', 'export'])('the code of activities/%s', (folder) => {
  const own = (): Promise<StageCode> =>
    stageCode({ checkout: ROOT, entry: `activities/${folder}/index.ts`, locks: ['package-lock.json'] });

  it('holds all that TypeScript sees imported', async () => {
    const { files } = await own();
    for (const file of files.filter((name) => name.endsWith('.ts'))) {
      const { outputText } = ts.transpileModule(readFileSync(join(ROOT, file), 'utf8'), {
        compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
      });
      for (const { fileName } of ts.preProcessFile(outputText).importedFiles) {
        if (fileName.startsWith('.')) expect(files).toContain(join(dirname(file), fileName));
      }
    }
  });

  it('reads no file that the digest does not see', async () => {
    const { files } = await own();
    for (const file of files.filter((name) => name.endsWith('.ts'))) {
      const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(
        /new URL\(\s*['"][^'"]+['"],\s*import\.meta\.url/g,
        '',
      );
      const left = OTHER_USES.reduce((rest, use) => rest.replaceAll(use, ''), text);
      expect({ file, uses: /import\.meta/.test(left) }).toEqual({ file, uses: false });
    }
  });

  it('does not change with the cache itself', async () => {
    const { files } = await own();
    expect(files.filter((file) => /stepcache|activities\/steps|workers|workflows/.test(file))).toEqual([]);
  });
});

it('the code of a training holds what its children run', async () => {
  const { files } = await stageCode({ checkout: ROOT, entry: 'activities/training/index.ts', locks: [] });
  expect(files).toEqual(
    expect.arrayContaining(['lib/ml/children/train.ts', 'lib/ml/children/replica.ts', 'lib/ml/training/loop.ts']),
  );
});
