import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadToolchain } from '../../infra/local/toolchain.ts';
import {
  hashModelFolder,
  signModel,
  transitPublicKeys,
  transitSigner,
  verifyModel,
} from '../../lib/supplychain/index.ts';
import { LocalTransit } from '../support/local-transit.ts';

/** Names whose order differs between bytes, UTF-16 units, whole paths and path segments. */
const NAMES = ['model.onnx', 'a/b', 'a-b', 'a.b', 'a/b-c/d', 'Z', 'é', '\u{ff5e}', '\u{1f600}', 'with space'];

let root: string;
let folder: string;
let signature: string;
let publicKey: string;
let transit: LocalTransit;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'saip-oms-'));
  folder = join(root, 'mnist-cnn');
  signature = join(root, 'model.sig');
  publicKey = join(root, 'key.pub');
  await mkdir(join(folder, 'a', 'b-c'), { recursive: true });
  for (const name of NAMES) await writeFile(join(folder, name), `content of ${name}`);
  transit = new LocalTransit();
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function reference(...parameters: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(loadToolchain().modelSigning, parameters, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

async function signFolder(): Promise<string> {
  const { bundle, digest } = await signModel({
    name: 'mnist-cnn',
    files: await hashModelFolder(folder),
    signer: transitSigner(transit),
  });
  await writeFile(signature, bundle);
  const [pem = ''] = await transitPublicKeys(transit);
  await writeFile(publicKey, pem);
  return digest;
}

const referenceVerifies = () => reference('verify', 'key', folder, '--signature', signature, '--public_key', publicKey);

describe('the reference implementation of OpenSSF Model Signing', () => {
  it('verifies what the platform signs', async () => {
    await signFolder();
    expect(referenceVerifies()).toEqual({ status: 0, output: expect.stringContaining('Verification succeeded') });
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    ['a changed file', () => writeFile(join(folder, 'Z'), 'other'), /Hash mismatch for \W+Z/],
    ['an extra file', () => writeFile(join(folder, 'extra'), ''), /Extra files/],
    ['a missing file', () => rm(join(folder, 'model.onnx')), /Missing files/],
    ['a symbolic link', () => symlink(join(folder, 'Z'), join(folder, 'link')), /symlink/],
  ])('refuses, as the platform does, %s', async (_what, change, message) => {
    await signFolder();
    await change();
    const { status, output } = referenceVerifies();
    expect(status).not.toBe(0);
    expect(output).toMatch(message);
    const platform = async () =>
      verifyModel({
        files: await hashModelFolder(folder),
        bundle: await readFile(signature),
        publicKeys: await transitPublicKeys(transit),
      });
    await expect(platform()).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', field: expect.any(String) });
  });

  it('refuses another key', async () => {
    await signFolder();
    transit.rotate();
    const [, other = ''] = await transitPublicKeys(transit);
    await writeFile(publicKey, other);
    expect(referenceVerifies().status).not.toBe(0);
  });

  it('signs what the platform verifies, with the same root digest', async () => {
    const digest = await signFolder();
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = join(root, 'key.pem');
    await writeFile(key, pair.privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
    expect(reference('sign', 'key', folder, '--private_key', key, '--signature', signature).status).toBe(0);
    const verified = verifyModel({
      files: await hashModelFolder(folder),
      bundle: await readFile(signature),
      publicKeys: [pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
      name: 'mnist-cnn',
    });
    expect(verified.digest).toBe(digest);
  });
});
