import { readFile, writeFile } from 'node:fs/promises';
import { processIo } from './io.ts';
import { createProgram } from './program.ts';
import { renderReference } from './reference.ts';

/** Rewrites the generated part of `docs/cli.md`: `node --run docs:cli`. */
const FILE = new URL('../docs/cli.md', import.meta.url);
const MARK = '<!-- generated from the commands by node --run docs:cli; do not edit below -->';

const page = await readFile(FILE, 'utf8');
const end = page.indexOf(MARK);
if (end < 0) throw new Error(`docs/cli.md has lost its mark: ${MARK}`);
const reference = renderReference(createProgram(processIo(), '0.0.0'));
await writeFile(FILE, `${page.slice(0, end)}${MARK}\n\n${reference}`);
