const id = (name: string, type?: string): Record<string, string> =>
  type === undefined ? { '@id': `cr:${name}` } : { '@id': `cr:${name}`, '@type': type };

const TERMS = [
  ...['annotation', 'arrayShape', 'citeAs', 'column', 'containedIn', 'equivalentProperty', 'excludes', 'extract'],
  ...['field', 'fileObject', 'fileProperty', 'fileSet', 'format', 'includes', 'isArray', 'isLiveDataset', 'jsonPath'],
  ...['key', 'md5', 'parentField', 'path', 'readLines', 'recordSet', 'references', 'regex', 'repeated', 'replace'],
  ...['samplingRate', 'sdVersion', 'separator', 'source', 'subField', 'transform', 'unArchive', 'value'],
];

/** The JSON-LD context of Croissant 1.1 with RAI and PROV-O, and the name under which the platform keeps the schema. */
export const CONTEXT = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  ...Object.fromEntries(TERMS.map((term) => [term, `cr:${term}`])),
  conformsTo: 'dct:conformsTo',
  data: id('data', '@json'),
  dataType: id('dataType', '@vocab'),
  examples: id('examples', '@json'),
  cr: 'http://mlcommons.org/croissant/',
  dct: 'http://purl.org/dc/terms/',
  prov: 'http://www.w3.org/ns/prov#',
  rai: 'http://mlcommons.org/croissant/RAI/',
  sc: 'https://schema.org/',
  saip: 'urn:saip:',
  'saip:table': { '@id': 'saip:table', '@type': '@json' },
};
