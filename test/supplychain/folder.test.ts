import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hashModelFolder } from '../../lib/supplychain/index.ts';
import { sha256 } from '../support/local-transit.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saip-model-'));
  await mkdir(join(folder, 'a', 'empty'), { recursive: true });
  await writeFile(join(folder, 'model.onnx'), 'graph');
  await writeFile(join(folder, 'a', 'b'), 'b');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('hashModelFolder', () => {
  it('digests every file under its relative path', async () => {
    expect(await hashModelFolder(folder)).toEqual({ 'model.onnx': sha256('graph'), 'a/b': sha256('b') });
  });

  it('leaves out the signature and nothing else', async () => {
    await writeFile(join(folder, 'model.sig'), '{}');
    await writeFile(join(folder, '.hidden'), '');
    await writeFile(join(folder, '__proto__'), '');
    const digests = await hashModelFolder(folder, 'model.sig');
    expect(Object.keys(digests).sort()).toEqual(['.hidden', '__proto__', 'a/b', 'model.onnx']);
  });

  it.each([
    ['a file', () => symlink(join(folder, 'model.onnx'), join(folder, 'link'))],
    ['a folder', () => symlink(join(folder, 'a'), join(folder, 'link'))],
    ['nothing', () => symlink(join(folder, 'none'), join(folder, 'link'))],
  ])('refuses a symbolic link to %s', async (_what, link) => {
    await link();
    await expect(hashModelFolder(folder)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', field: 'link' });
  });

  it('refuses a named pipe', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(hashModelFolder(folder)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', field: 'pipe' });
  });
});
