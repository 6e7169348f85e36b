import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { configurationReference } from '../../lib/config/index.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SOURCES = ['{api,cli,infra,lib,workers}/**/*.{ts,py,sh}', 'Makefile', 'saip'];

it('docs/configuration.md is what the schema says', () => {
  expect(readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8')).toBe(configurationReference());
});

it('knows every variable that the sources read', () => {
  const sources = globSync(SOURCES, { cwd: ROOT }).map((path) => readFileSync(join(ROOT, path), 'utf8'));
  const names = new Set(sources.flatMap((text) => text.match(/\bSAIP_[A-Z][A-Z_]*[A-Z]\b/g) ?? []));
  const reference = configurationReference();
  expect(names.size).toBeGreaterThan(15);
  expect([...names].filter((name) => !reference.includes(`\`${name}\``))).toEqual([]);
});
