import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { z } from 'zod';
import { AddDatasetRequest } from '../../contracts/own-data.ts';
import { Name } from '../../contracts/reference.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { OutputOptions } from '../render/output.ts';

type Texts = readonly string[];

export interface AddOptions extends OutputOptions {
  readonly target: string;
  readonly name?: string;
  readonly licence?: string;
  readonly description?: string;
  readonly creator?: Texts;
  readonly organization?: Texts;
  readonly task?: string;
  readonly column?: Texts;
  readonly drop?: Texts;
  readonly missing?: Texts;
  readonly delimiter?: string;
  readonly unit?: string;
  readonly use?: Texts;
  readonly limitation?: Texts;
  readonly bias?: Texts;
  readonly personal?: Texts;
  readonly source?: Texts;
  readonly collection?: string;
  readonly citation?: string;
  readonly copyright?: string;
  readonly url?: string;
  readonly published?: string;
  readonly card?: string;
}

export type UnsentRequest = Omit<AddDatasetRequest, 'upload'>;

const Creator = z.union([
  z.string().transform((name) => ({ type: 'Person' as const, name })),
  z
    .object({ '@type': z.enum(['Person', 'Organization']).default('Person'), name: z.string() })
    .transform((creator) => ({ type: creator['@type'], name: creator.name })),
]);

/** The properties of a given card that have options of their own; the rest passes through. */
const GivenCard = z.looseObject({
  license: z.string().optional(),
  description: z.string().optional(),
  creator: z.union([Creator.transform((creator) => [creator]), z.array(Creator)]).optional(),
});

/**
 * What the options say, checked as the API will check it, before a byte is sent.
 * @throws CliError `usage` naming every option that is missing or wrong
 */
export async function addRequest(path: string, options: AddOptions): Promise<UnsentRequest> {
  const { license, description: described, creator, ...properties } = await givenCard(options.card);
  const name = options.name ?? nameOf(path);
  const licence = options.licence ?? license;
  const description = options.description ?? described;
  const creators = [
    ...(options.creator ?? []).map((person) => ({ type: 'Person' as const, name: person })),
    ...(options.organization ?? []).map((organization) => ({ type: 'Organization' as const, name: organization })),
  ];
  const made = creators.length > 0 ? creators : (creator ?? []);
  requireStated({ '--name': name, '--licence': licence, '--description': description, '--creator': made[0]?.name });
  const { bias = [], collection, citation, copyright, limitation = [], missing, personal = [] } = options;
  const { published, source = [], target, task, unit, url, use = [] } = options;
  const card = { licence, description, creators: made, url, published, copyright, citation, collection, properties };
  const texts = { uses: use, limitations: limitation, biases: bias, personal, sources: source };
  const table = { target, task, missing, unit, columns: columnsOf(options), delimiter: delimiterOf(options.delimiter) };
  const request = { name, file: fileName(path), table, card: { ...card, ...texts } };
  const parsed = AddDatasetRequest.omit({ upload: true }).safeParse(JSON.parse(JSON.stringify(request)));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${optionOf(issue.path)}: ${issue.message}`);
  throw usageError(problems.join('; '), 'See saip dataset add --help.');
}

/** A name from that of the file, where it makes one. */
function nameOf(path: string): string | undefined {
  const name = basename(path, extname(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return Name.safeParse(name).data;
}

function fileName(path: string): string {
  return basename(path)
    .replaceAll(/[^\w.-]/g, '_')
    .slice(-128);
}

function requireStated(stated: Readonly<Record<string, string | undefined>>): void {
  const missing = Object.keys(stated).filter((option) => stated[option] === undefined || stated[option] === '');
  if (missing.length === 0) return;
  throw usageError(
    `the card needs ${missing.join(', ')}`,
    'Only you can say it; --card FILE takes it from a JSON file.',
  );
}

function columnsOf({ column = [], drop = [] }: AddOptions): Record<string, string> {
  const kinds = column.map((assignment): [string, string] => {
    const at = assignment.lastIndexOf('=');
    if (at > 0) return [assignment.slice(0, at), assignment.slice(at + 1)];
    throw usageError(`--column ${assignment} is no column=kind`, 'Such as --column zip=categorical.');
  });
  return Object.fromEntries([...kinds, ...drop.map((name): [string, string] => [name, 'drop'])]);
}

function delimiterOf(delimiter: string | undefined): string | undefined {
  return delimiter === 'tab' || delimiter === '\\t' ? '\t' : delimiter;
}

async function givenCard(path: string | undefined): Promise<z.infer<typeof GivenCard>> {
  if (path === undefined) return {};
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CliError(`cannot read ${path}`, { exitCode: EXIT.notFound, cause });
  });
  const parsed = GivenCard.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const { message = '', path: where = [] } = parsed.error.issues[0] ?? {};
  throw usageError(`${path} is no card: ${where.join('.')} ${message}`, 'It is a JSON object of card properties.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const OPTIONS: Readonly<Record<string, string>> = {
  uses: '--use',
  limitations: '--limitation',
  biases: '--bias',
  sources: '--source',
  creators: '--creator',
  columns: '--column',
  properties: '--card',
};

/** The option that a field of the request comes from. */
function optionOf(path: readonly PropertyKey[]): string {
  const [first, second] = path.map(String);
  const field = first === 'card' || first === 'table' ? second : first;
  return OPTIONS[field ?? ''] ?? `--${field ?? ''}`;
}
