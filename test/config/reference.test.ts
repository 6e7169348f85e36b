import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { configurationReference } from '../../lib/config/index.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/configuration.md');

it('docs/configuration.md is what the schema says', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(configurationReference());
});
