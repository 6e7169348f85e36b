import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { ReleaseStore } from '../../lib/release/index.ts';
import { sha256 } from '../support/local-transit.ts';
import { MadeRelease, MODEL, VERSION } from './support/made-release.ts';

let made: MadeRelease;
let folders: ReleaseStore;
let files: Record<string, ArtifactRef>;

beforeEach(async () => {
  made = await MadeRelease.begin();
  folders = new ReleaseStore({ root: made.root });
  files = await made.files();
});

afterEach(() => made.remove());

const release = { model: MODEL, version: VERSION };
const staging = () => readdirSync(join(made.root, 'releases', '.staging'));
const put = (check: (folder: string) => Promise<void> = async () => undefined, which = files) =>
  folders.put({ ...release, files: which, store: made.store, check });

describe('ReleaseStore', () => {
  it('shows a folder to the check before it has its name', async () => {
    await put(async (folder) => {
      expect(existsSync(made.folder)).toBe(false);
      expect(sha256(await readFile(join(folder, 'release.json')))).toBe(files['release.json']?.sha256);
    });
    expect(existsSync(made.folder)).toBe(true);
    expect(staging()).toEqual([]);
  });

  it('leaves nothing of a folder that the check refuses', async () => {
    await expect(put(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(made.folder)).toBe(false);
    expect(staging()).toEqual([]);
  });

  it('leaves the same release as it is, and checks it again', async () => {
    await put();
    const checked: string[] = [];
    await put(async (folder) => void checked.push(folder));
    expect(checked).toEqual([made.folder]);
  });

  it('replaces a folder that nobody published', async () => {
    await put();
    const others = await made.files({ input: { notes: 'another try' } });
    await put(undefined, others);
    const manifest = await folders.manifest({ ...release, manifestSha256: others['release.json']?.sha256 ?? '' });
    expect(manifest.notes).toBe('another try');
    expect(staging()).toEqual([]);
  });

  it('knows the manifest by its digest alone', async () => {
    await put();
    await expect(folders.manifest({ ...release, manifestSha256: sha256('other') })).rejects.toMatchObject({
      code: 'RELEASE_DIGEST_MISMATCH',
    });
    await folders.remove(release);
    await folders.remove(release);
    const manifestSha256 = files['release.json']?.sha256 ?? '';
    await expect(folders.manifest({ ...release, manifestSha256 })).rejects.toMatchObject({
      code: 'RELEASE_DIGEST_MISMATCH',
    });
  });

  it('takes no bytes that changed in the store', async () => {
    const graph = files['model/model.onnx'];
    if (graph === undefined) throw new Error('no graph');
    const wrong = { ...files, 'model/model.onnx': { ...graph, bytes: graph.bytes + 1 } };
    await expect(put(undefined, wrong)).rejects.toMatchObject({ code: 'ARTIFACT_DIGEST_MISMATCH' });
    expect(existsSync(made.folder)).toBe(false);
  });

  it('is none the worse for kill -9 of a writer', async () => {
    const writer = join(import.meta.dirname, 'support', 'killed-writer.ts');
    const { signal } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', writer, made.root]);
    expect(signal).toBe('SIGKILL');
    expect(staging()).toHaveLength(1);
    expect(existsSync(made.folder)).toBe(false);

    folders = new ReleaseStore({ root: made.root });
    expect(staging()).toEqual([]);
    await put();
    const manifestSha256 = files['release.json']?.sha256 ?? '';
    await expect(folders.manifest({ ...release, manifestSha256 })).resolves.toMatchObject(release);
  });

  it('sweeps what a writer left that was killed, and nothing of one that lives', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const unique = '00000000-0000-4000-8000-000000000000';
    const left = (pid: number) => join(made.root, 'releases', '.staging', `${pid}@${hostname()}.${unique}`);
    for (const pid of [dead, process.pid]) {
      await mkdir(left(pid));
      await writeFile(join(left(pid), 'release.json'), 'half');
    }
    new ReleaseStore({ root: made.root });
    expect(existsSync(left(dead))).toBe(false);
    expect(existsSync(left(process.pid))).toBe(true);
  });
});
