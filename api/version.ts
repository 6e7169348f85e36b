import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Version of the platform, as its package says. */
export const { version: VERSION } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')));
