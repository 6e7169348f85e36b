import { SaipError } from '../../contracts/errors.ts';

/** The policy cannot be loaded or evaluated; nothing is allowed. */
export class PolicyError extends SaipError<'POLICY_UNAVAILABLE'> {
  override readonly name = 'PolicyError';
}
