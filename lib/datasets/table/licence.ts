import { createRequire } from 'node:module';
import { DatasetError } from '../errors.ts';

const require = createRequire(import.meta.url);
/** Identifiers of the SPDX licence list, which the package carries as JSON. */
const IDS = require('spdx-license-ids/index.json') as readonly string[];
const BY_LOWER_CASE = new Map(IDS.map((id) => [id.toLowerCase(), id]));

/**
 * The URL of a licence: of an identifier of the SPDX list, in any case, or the URL itself.
 * @throws DatasetError `DATASET_CARD_INVALID` for anything else
 */
export function licenceUrl(licence: string): string {
  const id = BY_LOWER_CASE.get(licence.toLowerCase());
  if (id !== undefined) return `https://spdx.org/licenses/${id}`;
  const url = URL.parse(licence);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url.href;
  throw new DatasetError(
    'DATASET_CARD_INVALID',
    `"${licence.slice(0, 60)}" is no licence: name one of the SPDX list, such as CC-BY-4.0, or give its URL (--licence)`,
    { field: 'card.licence' },
  );
}
