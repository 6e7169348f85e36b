import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RELEASE_FILES } from '../../contracts/release.ts';
import { fingerprint, publicKeysIn, verifyRelease } from '../../lib/release/index.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPairs } from '../render/table.ts';

export interface VerifyOptions extends OutputOptions {
  readonly keys?: readonly string[];
  readonly fingerprint?: readonly string[];
  readonly builder?: string;
}

/** `saip release verify`: asks no server. What is trusted has to be named; a folder cannot vouch for itself. */
export async function verify(io: Io, folder: string, options: VerifyOptions): Promise<ExitCode> {
  const publicKeys = await trustedKeys(folder, options);
  const verified = await verifyRelease({ folder: resolve(folder), publicKeys, builder: options.builder });
  const { green } = colorsOf(io);
  present(io, options, verified, ({ model, version, checks, digest, key, approvedBy, workflowId }) =>
    [
      `${green('✓')} ${model} ${version} is what was released`,
      ...checks.map(({ name, detail }) => `  ${green('✓')} ${name}: ${detail}`),
      renderPairs([
        ['digest', digest],
        ['key', key],
        ['approved by', approvedBy],
        ['workflow', workflowId],
      ]),
    ].join('\n'),
  );
  return EXIT.ok;
}

async function trustedKeys(folder: string, { keys = [], fingerprint: pins = [] }: VerifyOptions): Promise<string[]> {
  if (keys.length === 0 && pins.length === 0) {
    throw usageError(
      'name the keys that you trust with --keys or --fingerprint',
      'saip release keys prints those of a running platform.',
    );
  }
  const fromFiles = await Promise.all(keys.map(readKeys));
  return [...fromFiles.flat(), ...(await pinnedKeys(folder, pins))];
}

async function readKeys(file: string): Promise<string[]> {
  const found = publicKeysIn(await readText(file));
  if (found.length === 0) throw usageError(`${file} holds no public key`, 'It must be PEM, BEGIN PUBLIC KEY.');
  return found;
}

/** The folder brings keys only to be picked from by a fingerprint that came another way. */
async function pinnedKeys(folder: string, pins: readonly string[]): Promise<string[]> {
  if (pins.length === 0) return [];
  const wrong = pins.find((pin) => !/^[0-9a-f]{64}$/.test(pin));
  if (wrong !== undefined) throw usageError(`${wrong} is no fingerprint`, 'It has 64 hexadecimal digits.');
  const brought = publicKeysIn(await readText(join(folder, RELEASE_FILES.keys)));
  return brought.filter((pem) => pins.includes(fingerprint(pem)));
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CliError(`cannot read ${file}`, { exitCode: EXIT.notFound, cause });
  }
}
