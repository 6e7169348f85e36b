import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { configurationReference } from './reference.ts';

writeFileSync(resolve(import.meta.dirname, '../../docs/configuration.md'), configurationReference());
