import { Counter, type Registry } from 'prom-client';
import { isSaipError, type ErrorCode } from '../../contracts/errors.ts';
import { IdentityError } from '../../lib/identity/index.ts';

/** What was sent, by the error that it was answered with. */
const KINDS: Partial<Record<ErrorCode, string>> = {
  TOKEN_INVALID: 'token',
  API_KEY_INVALID: 'api-key',
  UNAUTHENTICATED: 'none',
};

/** Counts refused tokens and API keys by reason. Reasons are a closed set, so that nobody makes series up. */
export function credentialRefusals(registry: Registry): (error: unknown) => void {
  const refused = new Counter({
    name: 'saip_credentials_refused_total',
    help: 'Requests whose credential was refused, or that brought none, by reason.',
    labelNames: ['kind', 'reason'] as const,
    registers: [registry],
  });
  return (error) => {
    if (!isSaipError(error)) return;
    const kind = KINDS[error.code];
    // A server that is away says nothing about the credential.
    const reason = kind === undefined ? error.code.toLowerCase() : reasonOf(error);
    refused.inc({ kind: kind ?? 'unverified', reason });
  };
}

function reasonOf(error: Error): string {
  return (error instanceof IdentityError ? error.reason : undefined) ?? 'unusable';
}
