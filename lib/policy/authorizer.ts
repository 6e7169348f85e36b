import { z } from 'zod';
import type { Action, KeyScope, Principal } from '../../contracts/roles.ts';
import { CompiledPolicy } from './compiled-policy.ts';

/** What the action is about; a rule that needs a field denies when it is absent. */
export interface Resource {
  readonly tenant?: string;
  /** Subject who started the workflow. */
  readonly requestedBy?: string;
  readonly workflowType?: string;
  readonly model?: string;
  /** Whom the thing belongs to. */
  readonly owner?: string;
  /** Subject whose queries a flag is about. */
  readonly flagged?: string;
  /** That an API key shall have. */
  readonly roles?: readonly string[];
}

export interface AuthorizationRequest {
  readonly principal: Principal & { readonly scope?: KeyScope };
  readonly action: Action;
  readonly resource?: Resource;
}

const Decision = z.object({
  allow: z.boolean(),
  /** What decided: `role:<role>`, `requester`, `deny:<reason>` or `default-deny`. */
  rule: z.string(),
});
export type Decision = Readonly<z.infer<typeof Decision>>;

export interface AuthorizerOptions {
  /** Folder with `authz.wasm` and `authz.lock.json`; default: the one of this checkout. */
  readonly folder?: URL;
}

/** Decides who may do what, by the Rego policy `infra/policies/authz`. */
export class Authorizer {
  readonly #policy: CompiledPolicy<Decision>;

  private constructor(policy: CompiledPolicy<Decision>) {
    this.#policy = policy;
  }

  /** Throws `POLICY_UNAVAILABLE` when the compiled policy is missing or is not the locked one. */
  static async load({ folder }: AuthorizerOptions = {}): Promise<Authorizer> {
    return new Authorizer(await CompiledPolicy.load({ name: 'authz', decision: Decision, folder }));
  }

  /** Of the compiled policy: which one decides. */
  get sha256(): string {
    return this.#policy.sha256;
  }

  /** Throws `POLICY_UNAVAILABLE` when the policy gives no decision; an error never allows. */
  decide({ principal, action, resource = {} }: AuthorizationRequest): Decision {
    return this.#policy.evaluate({ principal, action, resource });
  }
}
