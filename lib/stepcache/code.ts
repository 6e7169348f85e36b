import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { init, parse } from 'es-module-lexer';
import { StepCacheError } from './errors.ts';

export interface CodeOptions {
  /** Root of the checkout; nothing outside of it is followed. */
  readonly checkout: string;
  /** Module that the stage starts in, relative to the checkout. */
  readonly entry: string;
  /** Further files that decide what runs: lock files. Relative to the checkout. */
  readonly locks: readonly string[];
}

/** The code of one stage. */
export interface StageCode {
  /** Over path and bytes of every file. */
  readonly sha256: string;
  /** Relative to the checkout, sorted. */
  readonly files: readonly string[];
  /** Whether the files still are what they were when they were read. */
  unchanged(): Promise<boolean>;
}

/**
 * The digest of a stage's code: its module, everything of the checkout that this imports by a literal name, at any
 * depth, and the lock files, which stand for all packages. Types are not imported when code runs and do not count.
 * `new URL('…', import.meta.url)` is how modules name what they read or start: such a file counts, with its own imports
 * where it is a module, and so does every file of such a folder.
 * @throws StepCacheError STEP_CODE_UNREADABLE
 */
export async function stageCode({ checkout, entry, locks }: CodeOptions): Promise<StageCode> {
  await init();
  const found = new Set(locks.map((lock) => join(checkout, lock)));
  await follow(join(checkout, entry), { checkout, found });
  const files = [...found].map((file) => relative(checkout, file)).sort();
  const sha256 = await digestOf(checkout, files);
  return { sha256, files, unchanged: async () => (await digestOf(checkout, files).catch(() => '')) === sha256 };
}

interface Walk {
  readonly checkout: string;
  readonly found: Set<string>;
}

async function follow(file: string, walk: Walk): Promise<void> {
  if (walk.found.has(file) || !isInside(file, walk.checkout)) return;
  if (await isFolder(file)) {
    for (const name of await readdir(file)) await follow(join(file, name), walk);
    return;
  }
  walk.found.add(file);
  if (!/\.(?:ts|js|mjs)$/.test(file)) return;
  for (const name of namesIn(await readText(file), file)) await follow(resolve(dirname(file), name), walk);
}

/** Relative names of what a module loads. */
function namesIn(source: string, file: string): string[] {
  const [imports] = lex(source, file);
  return imports.flatMap((found) => {
    // What stands before `import.meta` says whether it names a file.
    if (found.type === 'import-meta') return namedByUrl(source.slice(0, found.start));
    const { specifier } = found;
    if (specifier === undefined || !specifier.startsWith('.')) return [];
    return found.type !== 'dynamic' && found.typeOnly ? [] : [specifier];
  });
}

/** `new URL('NAME', ` at the end of `before`. */
function namedByUrl(before: string): string[] {
  const name = /new URL\(\s*(?:'([^']+)'|"([^"]+)"),\s*$/.exec(before);
  const [, single, double] = name ?? [];
  const literal = single ?? double;
  return literal === undefined ? [] : [literal];
}

function lex(source: string, file: string): ReturnType<typeof parse> {
  try {
    return parse(source, file);
  } catch (cause) {
    throw new StepCacheError('STEP_CODE_UNREADABLE', `The imports of ${file} cannot be read.`, { cause, field: file });
  }
}

function isInside(file: string, checkout: string): boolean {
  const path = relative(checkout, file);
  return !path.startsWith('..') && !path.split('/').includes('node_modules');
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new StepCacheError('STEP_CODE_UNREADABLE', `${file} cannot be read.`, { cause, field: file });
  });
}

/** SHA-256 of the lines that `sha256sum` prints for the files. */
async function digestOf(checkout: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = await readFile(join(checkout, file));
    hash.update(`${createHash('sha256').update(bytes).digest('hex')}  ${file}\n`);
  }
  return hash.digest('hex');
}
