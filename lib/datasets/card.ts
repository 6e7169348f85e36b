import { z } from 'zod';
import { Name, Sha256 } from '../../contracts/reference.ts';
import { TableSchema } from '../../contracts/table.ts';
import { DatasetError } from './errors.ts';
import { checkTable } from './table/schema.ts';

export const CROISSANT = 'http://mlcommons.org/croissant/1.1';

const text = z.string().trim().min(1);
const oneOrMore = <T extends z.ZodType>(value: T) => z.union([value, z.array(value).min(1)]);
const reference = z.looseObject({ '@id': text });

/** A file as plain bytes below the data root; sizes are in bytes. */
const FileObject = z.looseObject({
  '@type': z.literal('cr:FileObject'),
  '@id': text,
  name: text,
  contentUrl: z
    .string()
    .regex(/^(?!\.\.?(?:\/|$))[\w.-]+(?:\/(?!\.\.?(?:\/|$))[\w.-]+)*$/, 'must be a path inside the data folder'),
  contentSize: z.string().regex(/^\d+ B$/, 'must be a size in bytes, such as "60008 B"'),
  encodingFormat: oneOrMore(text),
  sha256: Sha256,
});
export type FileObject = z.infer<typeof FileObject>;

const Field = z.looseObject({
  '@type': z.literal('cr:Field'),
  '@id': text,
  dataType: oneOrMore(text),
  arrayShape: z
    .string()
    .regex(/^\d+(,\d+)*$/)
    .optional(),
  source: z.looseObject({ fileObject: reference }).optional(),
});

const RecordSet = z.looseObject({
  '@type': z.literal('cr:RecordSet'),
  '@id': text,
  dataType: oneOrMore(text).optional(),
  field: z.array(Field).min(1),
  data: z.array(z.record(z.string(), z.union([z.string(), z.number()]))).optional(),
});

/**
 * What the platform asks of a data card: a Croissant 1.1 description (https://docs.mlcommons.org/croissant) whose
 * provenance, licence, uses, limits and biases are filled in, by the vocabularies of Croissant RAI 1.0 and PROV-O.
 * Other properties pass through untouched.
 */
export const DatasetCard = z.looseObject({
  '@context': z.looseObject({}),
  '@type': z.literal('sc:Dataset'),
  conformsTo: oneOrMore(z.url()).refine((value) => [value].flat().includes(CROISSANT), `must include ${CROISSANT}`),
  name: Name,
  description: text,
  url: z.url(),
  version: text,
  datePublished: z.iso.date(),
  license: oneOrMore(z.url()),
  copyrightNotice: text,
  creator: z.array(z.looseObject({ '@type': z.enum(['Person', 'Organization']), name: text })).min(1),
  citeAs: text,
  'prov:wasDerivedFrom': z.array(reference).min(1),
  'rai:dataCollection': text,
  /** Intended uses. */
  'rai:dataUseCases': z.array(text).min(1),
  /** Known limits and unsuitable uses. */
  'rai:dataLimitations': z.array(text).min(1),
  'rai:dataBiases': z.array(text).min(1),
  'rai:personalSensitiveInformation': z.array(text).min(1),
  distribution: z.array(FileObject).min(1),
  recordSet: z.array(RecordSet).min(1),
  /** What the columns of a tabular data set's file mean; absent where samples are tensors. */
  'saip:table': TableSchema.optional(),
});
export type DatasetCard = z.infer<typeof DatasetCard>;

/**
 * @param file Name of the card, for the message.
 * @throws DatasetError `DATASET_CARD_INVALID` whose `field` is the first missing or wrong field; the message names all.
 */
export function parseCard(value: unknown, file: string): DatasetCard {
  const parsed = DatasetCard.safeParse(value, {
    error: (issue) => (issue.code === 'invalid_type' && issue.input === undefined ? 'is missing' : undefined),
  });
  if (parsed.success) {
    const { 'saip:table': table, distribution } = parsed.data;
    if (table !== undefined)
      checkTable(
        table,
        distribution.map((object) => object['@id']),
        file,
      );
    return parsed.data;
  }
  const problems = parsed.error.issues.map((issue) => ({ field: fieldPath(issue.path), message: describe(issue) }));
  throw new DatasetError(
    'DATASET_CARD_INVALID',
    `${file}: ${problems.map(({ field, message }) => `${field} ${message}`).join('; ')}`,
    { field: problems[0]?.field },
  );
}

/** A union says only "invalid input"; what is wrong with its first member tells more. */
function describe(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union') return issue.message;
  return issue.errors[0]?.[0]?.message ?? issue.message;
}

function fieldPath(path: readonly PropertyKey[]): string {
  const joined = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
  return joined === '' ? 'card' : joined;
}

/** The labels of the card's enumeration `labels`, in the order of their class index. */
export function labelsOf(card: DatasetCard): string[] {
  const rows = card.recordSet.find((records) => records['@id'] === 'labels')?.data ?? [];
  const labels: string[] = [];
  for (const row of rows) labels[Number(row['labels/index'])] = String(row['labels/name']);
  if (labels.length < 2 || labels.length !== rows.length || Object.keys(labels).length !== rows.length) {
    throw new DatasetError(
      'DATASET_CARD_INVALID',
      `${card.name}: recordSet labels must index two or more classes from 0`,
      {
        field: 'recordSet',
      },
    );
  }
  return labels;
}
