import { SaipError } from '../../contracts/errors.ts';

export type SearchErrorCode = 'SEARCH_SPACE_INVALID' | 'REQUEST_INVALID';

/** A search cannot be made as it was asked for. */
export class SearchError extends SaipError<SearchErrorCode> {
  override readonly name = 'SearchError';
}
