import { SaipError } from '../../contracts/errors.ts';

export class MisuseError extends SaipError<'REQUEST_INVALID'> {
  override readonly name = 'MisuseError';
}
