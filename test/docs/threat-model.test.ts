import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const CHECKOUT = join(import.meta.dirname, '..', '..');

it('every mitigation of the threat model names a test that exists', () => {
  const page = readFileSync(join(CHECKOUT, 'docs', 'threat-model.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| \d+ /.test(line));
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    const tests = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path);
    expect({ row, tests }).not.toHaveProperty('tests', []);
    expect(tests.filter((path) => !existsSync(join(CHECKOUT, path)))).toEqual([]);
  }
});
