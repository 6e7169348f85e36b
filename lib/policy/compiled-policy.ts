import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import { z } from 'zod';
import { PolicyError } from './errors.ts';

export interface CompiledPolicyOptions<T> {
  /** Folder below `infra/policies` with the Rego sources. */
  readonly name: string;
  /** What its entry point `saip/<name>/decision` answers. */
  readonly decision: z.ZodType<T>;
  /** Folder with `<name>.wasm` and `<name>.lock.json`; default: the one of this checkout. */
  readonly folder?: URL;
}

type LoadedPolicy = Awaited<ReturnType<typeof loadPolicy>>;

const DEFAULT_FOLDER = new URL('../../infra/policies/', import.meta.url);

const Lock = z.object({ wasm: z.string() });

/** A Rego policy of `infra/policies`, compiled to WebAssembly and evaluated in this process. */
export class CompiledPolicy<T> {
  /** Of the WebAssembly: which policy decided. */
  readonly sha256: string;
  readonly #name: string;
  readonly #policy: LoadedPolicy;
  readonly #results: z.ZodType<[{ result: T }]>;

  private constructor({ name, decision }: CompiledPolicyOptions<T>, policy: LoadedPolicy, sha256: string) {
    this.sha256 = sha256;
    this.#name = name;
    this.#policy = policy;
    this.#results = z.tuple([z.object({ result: decision })]);
  }

  /** Throws `POLICY_UNAVAILABLE` when the compiled policy is missing or is not the locked one. */
  static async load<T>(options: CompiledPolicyOptions<T>): Promise<CompiledPolicy<T>> {
    const { name, folder = DEFAULT_FOLDER } = options;
    try {
      const wasm = await readFile(new URL(`${name}.wasm`, folder));
      const lock = Lock.parse(JSON.parse(await readFile(new URL(`${name}.lock.json`, folder), 'utf8')));
      if (createHash('sha256').update(wasm).digest('hex') !== lock.wasm) {
        throw new Error(`${name}.wasm is not the file that ${name}.lock.json names.`);
      }
      return new CompiledPolicy(options, await loadPolicy(wasm), lock.wasm);
    } catch (error) {
      throw new PolicyError('POLICY_UNAVAILABLE', `The policy ${name} cannot be loaded.`, { cause: error });
    }
  }

  /**
   * @param input JSON; rules that need a clock take the time from it
   * @throws PolicyError `POLICY_UNAVAILABLE` when the policy gives no decision; an error never allows
   */
  evaluate(input: object): T {
    try {
      const [{ result }] = this.#results.parse(this.#policy.evaluate(input));
      return result;
    } catch (error) {
      throw new PolicyError('POLICY_UNAVAILABLE', `The policy ${this.#name} gave no decision.`, { cause: error });
    }
  }
}
