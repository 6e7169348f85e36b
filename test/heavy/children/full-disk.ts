import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveChild } from '../../../lib/heavy/index.ts';

/** Writes into the folder until it is full. */
serveChild(({ folder }: { readonly folder: string }): never => {
  const file = join(folder, 'big');
  writeFileSync(file, '');
  for (;;) appendFileSync(file, Buffer.alloc(65_536));
});
