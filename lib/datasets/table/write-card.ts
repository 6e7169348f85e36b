import type { CardOptions } from '../../../contracts/own-data.ts';
import type { TableColumn, TableSchema } from '../../../contracts/table.ts';
import { CROISSANT, parseCard } from '../card.ts';
import type { DatasetCard } from '../card.ts';
import { DatasetError } from '../errors.ts';
import { CONTEXT } from './context.ts';
import { licenceUrl } from './licence.ts';

export interface WriteCardOptions {
  readonly name: string;
  readonly version: number;
  readonly card: CardOptions;
  readonly schema: TableSchema;
  readonly file: { readonly name: string; readonly sha256: string; readonly bytes: number };
  /** Rows of the table. */
  readonly rows: number;
  /** Where the card can be read, for a data set without a page of its own. */
  readonly home: string;
  /** The day on which it is added (ISO 8601). */
  readonly today: string;
}

export const NOT_STATED = 'Not stated by the person who added the data set.';

/** What the platform writes itself, because it follows from the file. */
const OWN = new Set([
  ...['@context', '@type', '@id', 'conformsTo', 'name', 'version', 'distribution', 'recordSet', 'saip:table'],
  ...['license', 'description', 'creator'],
]);

/**
 * The card of a table: Croissant 1.1 with the responsible-AI properties. What the person did not say is written down as
 * not stated, and nothing is made up.
 * @throws DatasetError `DATASET_CARD_INVALID`
 */
export function writeCard(o: WriteCardOptions): DatasetCard {
  const own = Object.keys(o.card.properties).find((property) => OWN.has(property));
  if (own !== undefined) {
    throw new DatasetError('DATASET_CARD_INVALID', `${own} is not taken from the given card: it is written anew`, {
      field: `card.properties.${own}`,
    });
  }
  // What was said in an option counts more than the given card, and anything more than "not stated".
  const card = { ...unstated(o), ...o.card.properties, ...said(o.card), ...follows(o) };
  return parseCard(card, `card of ${o.name}`);
}

function unstated({ file, home, today }: WriteCardOptions): Record<string, unknown> {
  return {
    url: home,
    datePublished: today,
    copyrightNotice: NOT_STATED,
    citeAs: NOT_STATED,
    'prov:wasDerivedFrom': [
      { '@id': `urn:sha256:${file.sha256}`, 'prov:label': `The file as it was added. Origin: ${NOT_STATED}` },
    ],
    'rai:dataCollection': NOT_STATED,
    'rai:dataUseCases': [NOT_STATED],
    'rai:dataLimitations': [NOT_STATED],
    'rai:dataBiases': [NOT_STATED],
    'rai:personalSensitiveInformation': [NOT_STATED],
  };
}

function said(card: CardOptions): Record<string, unknown> {
  const sources = card.sources.map((source) => ({ '@id': source }));
  const stated = {
    description: card.description,
    url: card.url,
    datePublished: card.published,
    license: licenceUrl(card.licence),
    copyrightNotice: card.copyright,
    creator: card.creators.map(({ type, name }) => ({ '@type': type, name })),
    citeAs: card.citation,
    'prov:wasDerivedFrom': sources,
    'rai:dataCollection': card.collection,
    'rai:dataUseCases': card.uses,
    'rai:dataLimitations': card.limitations,
    'rai:dataBiases': card.biases,
    'rai:personalSensitiveInformation': card.personal,
  };
  const isStated = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(stated).filter(([, value]) => isStated(value)));
}

function follows(o: WriteCardOptions): Record<string, unknown> {
  const { name, version, schema, file } = o;
  return {
    '@context': CONTEXT,
    '@type': 'sc:Dataset',
    conformsTo: [CROISSANT, 'http://mlcommons.org/croissant/RAI/1.0'],
    name,
    version: `${version}.0.0`,
    isLiveDataset: false,
    distribution: [
      {
        '@type': 'cr:FileObject',
        '@id': schema.file,
        name: schema.file,
        contentUrl: file.name,
        contentSize: `${file.bytes} B`,
        encodingFormat: schema.delimiter === '\t' ? 'text/tab-separated-values' : 'text/csv',
        sha256: file.sha256,
      },
    ],
    recordSet: [...labels(schema), rowsOf(o)],
    'saip:table': schema,
  };
}

/** The labels of a classification, in the order of their class index. */
function labels({ target }: TableSchema): Record<string, unknown>[] {
  if (target.task === 'regression') return [];
  const field = (name: string, dataType: string): Record<string, unknown> => ({
    ...{ '@type': 'cr:Field', '@id': `labels/${name}`, name, dataType },
  });
  return [
    {
      '@type': 'cr:RecordSet',
      '@id': 'labels',
      name: 'labels',
      description: 'The labels in the order of their class index.',
      dataType: 'sc:Enumeration',
      key: { '@id': 'labels/name' },
      field: [field('index', 'sc:Integer'), field('name', 'sc:Text')],
      data: target.labels.map((label, index) => ({ 'labels/index': index, 'labels/name': label })),
    },
  ];
}

function rowsOf({ rows, schema }: WriteCardOptions): Record<string, unknown> {
  const { features, file, target } = schema;
  const source = (column: string): Record<string, unknown> => ({
    fileObject: { '@id': file },
    extract: { column },
  });
  // A column's name may hold what an identifier must not.
  const fields = features.map((column, index) => ({
    '@type': 'cr:Field',
    '@id': `rows/feature-${index + 1}`,
    name: column.name,
    dataType: dataTypeOf(column),
    source: source(column.name),
  }));
  const classes = target.task === 'classification';
  return {
    '@type': 'cr:RecordSet',
    '@id': 'rows',
    name: 'rows',
    description: `The ${rows} rows of the file, without the columns that are left out.`,
    field: [
      ...fields,
      {
        '@type': 'cr:Field',
        '@id': 'rows/target',
        name: target.name,
        description: classes ? 'The label to predict.' : 'The number to predict.',
        dataType: classes ? ['sc:Text', 'cr:Label'] : 'sc:Float',
        ...(classes ? { references: { field: { '@id': 'labels/name' } } } : {}),
        source: source(target.name),
      },
    ],
  };
}

/** Booleans keep their spelling, so they are text. */
function dataTypeOf(column: TableColumn): string {
  if (column.kind !== 'numeric') return 'sc:Text';
  return column.integer ? 'sc:Integer' : 'sc:Float';
}
