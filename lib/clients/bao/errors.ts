import { SaipError } from '../../../contracts/errors.ts';

export type BaoErrorCode = 'SECRET_UNAVAILABLE' | 'SECRET_LOGIN_INVALID' | 'SECRET_FORBIDDEN' | 'SECRET_REJECTED';

/**
 * A request to OpenBao failed. `SECRET_UNAVAILABLE` is worth retrying; the others are not.
 * Its cause never is the HTTP client's own error, because that one carries the request with its token.
 */
export class BaoError extends SaipError<BaoErrorCode> {
  override readonly name = 'BaoError';
}
