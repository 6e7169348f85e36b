import { readFile } from 'node:fs/promises';
import { EXIT } from './exit-codes.ts';
import { processIo } from './io.ts';
import { run } from './run.ts';

/** A reader that leaves early, such as `saip … | head`, is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failure);
});

const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
await run(processIo(), process.argv.slice(2), manifest.version);
