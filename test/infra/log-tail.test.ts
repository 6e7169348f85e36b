import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogTail } from '../../cli/stack/log-tail.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'saip-log-'));
  file = join(folder, 'api.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('LogTail', () => {
  it('returns the last complete lines of a long file', () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `línea ${index}`);
    writeFileSync(file, `${lines.join('\n')}\nunfinished`);
    expect(new LogTail(file).last(3)).toEqual(lines.slice(-3));
    expect(new LogTail(file).last(50_000)).toEqual(lines);
    expect(new LogTail(file).last(0)).toEqual([]);
  });

  it('goes on with what is added, line by line', () => {
    writeFileSync(file, 'one\ntw');
    const tail = new LogTail(file);
    expect(tail.last(10)).toEqual(['one']);
    expect(tail.added()).toEqual([]);
    appendFileSync(file, 'o\nthree\n');
    expect(tail.added()).toEqual(['two', 'three']);
  });

  it('loses no line when the file is rotated', () => {
    writeFileSync(file, 'one\n');
    const tail = new LogTail(file);
    tail.last(10);
    appendFileSync(file, 'two\n');
    renameSync(file, `${file}.1`);
    expect(tail.added()).toEqual(['two']);
    writeFileSync(file, 'three\n');
    expect(tail.added()).toEqual(['three']);
  });

  it('waits for a file that is not there yet', () => {
    const tail = new LogTail(file);
    expect(tail.last(10)).toEqual([]);
    writeFileSync(file, 'one\n');
    expect(tail.added()).toEqual(['one']);
  });
});
