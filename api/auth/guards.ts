import { rateLimit } from 'express-rate-limit';
import type { AuditLog } from '../../lib/clients/index.ts';
import type { AuthorizationRequest, Authorizer } from '../../lib/policy/index.ts';
import { ApiError } from '../errors.ts';
import type { Guards } from '../http/mount.ts';
import type { Caller } from '../http/route.ts';
import type { Authenticator } from './authenticate.ts';

export interface GuardsOptions {
  readonly authenticator: Authenticator;
  readonly authorizer: Pick<Authorizer, 'decide'>;
  readonly auditLog: Pick<AuditLog, 'append'>;
  /** Failed sign-ins of one address in a minute before it has to wait; default 30. */
  readonly credentialFailures?: number;
  /** Among how many processes they are shared out; default 1. */
  readonly processes?: number;
}

const MINUTE_MS = 60_000;

/** Who may do what, with a record of it: what `mount` puts before every handler. */
export function createGuards(options: GuardsOptions): Guards {
  const { authenticator, authorizer, auditLog, credentialFailures = 30, processes = 1 } = options;
  return {
    authenticate: (request, { cookie }) => authenticator.authenticate(request, { cookie }),
    decide: decideBy(authorizer),
    audit: async ({ detail: { traceId, ...detail }, ...entry }) => {
      try {
        await auditLog.append({ ...entry, traceId, detail });
      } catch (error) {
        throw new ApiError('AUDIT_UNAVAILABLE', 'The audit log cannot be written, so nothing was done.', {
          cause: error,
        });
      }
    },
    limiters: {
      credentials: rateLimit({
        windowMs: MINUTE_MS,
        limit: Math.ceil(credentialFailures / processes),
        // Programs fetch tokens often and rightly; guessing secrets shows in failures.
        skipSuccessfulRequests: true,
        standardHeaders: 'draft-8',
        legacyHeaders: false,
        handler: (_request, response, next) => {
          const seconds = response.getHeader('Retry-After');
          next(new ApiError('RATE_LIMITED', `Too many failed sign-ins; wait ${String(seconds)} s.`));
        },
      }),
    },
  };
}

/** Asks `authorizer` about a caller; what else is known of the caller is none of the policy's business. */
export function decideBy(authorizer: Pick<Authorizer, 'decide'>): Guards['decide'] {
  // Who comes again brings the same object.
  const principals = new WeakMap<Caller, AuthorizationRequest['principal']>();
  return ({ principal: caller, action, resource }) => {
    let principal = principals.get(caller);
    if (principal === undefined) {
      const { sub, roles, tenant, scope } = caller;
      principal = { sub, roles, tenant, ...(scope && { scope }) };
      principals.set(caller, principal);
    }
    return authorizer.decide({ principal, action, resource });
  };
}
