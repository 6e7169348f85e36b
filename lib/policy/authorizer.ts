import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import { z } from 'zod';
import type { Action, Principal } from '../../contracts/roles.ts';
import { PolicyError } from './errors.ts';

/** What the action is about; a rule that needs a field denies when it is absent. */
export interface Resource {
  readonly tenant?: string;
  /** Subject who started the workflow. */
  readonly requestedBy?: string;
  readonly workflowType?: string;
}

export interface AuthorizationRequest {
  readonly principal: Principal;
  readonly action: Action;
  readonly resource?: Resource;
}

/** `rule` names what decided: `role:<role>`, `requester`, `deny:<reason>` or `default-deny`. */
export interface Decision {
  readonly allow: boolean;
  readonly rule: string;
}

export interface AuthorizerOptions {
  /** Folder with `authz.wasm` and `authz.lock.json`; default: the one of this checkout. */
  readonly folder?: URL;
}

type LoadedPolicy = Awaited<ReturnType<typeof loadPolicy>>;

const DEFAULT_FOLDER = new URL('../../infra/policies/', import.meta.url);

const Lock = z.object({ wasm: z.string() });
const Results = z.tuple([z.object({ result: z.object({ allow: z.boolean(), rule: z.string() }) })]);

/** Decides by the Rego policy `infra/policies/authz`, compiled to WebAssembly and evaluated in this process. */
export class Authorizer {
  readonly #policy: LoadedPolicy;

  private constructor(policy: LoadedPolicy) {
    this.#policy = policy;
  }

  /** Throws `POLICY_UNAVAILABLE` when the compiled policy is missing or is not the locked one. */
  static async load({ folder = DEFAULT_FOLDER }: AuthorizerOptions = {}): Promise<Authorizer> {
    try {
      const wasm = await readFile(new URL('authz.wasm', folder));
      const lock = Lock.parse(JSON.parse(await readFile(new URL('authz.lock.json', folder), 'utf8')));
      if (createHash('sha256').update(wasm).digest('hex') !== lock.wasm) {
        throw new Error('authz.wasm is not the file that authz.lock.json names.');
      }
      return new Authorizer(await loadPolicy(wasm));
    } catch (error) {
      throw new PolicyError('POLICY_UNAVAILABLE', 'The policy authz cannot be loaded.', { cause: error });
    }
  }

  /** Throws `POLICY_UNAVAILABLE` when the policy gives no decision; an error never allows. */
  decide({ principal, action, resource = {} }: AuthorizationRequest): Decision {
    try {
      const [{ result }] = Results.parse(this.#policy.evaluate({ principal, action, resource }));
      return result;
    } catch (error) {
      throw new PolicyError('POLICY_UNAVAILABLE', 'The policy authz gave no decision.', { cause: error });
    }
  }
}
