import type { z } from 'zod';
import type { ConfigProblem } from './errors.ts';
import { LEAVES, OTHER_VARIABLES } from './leaves.ts';
import type { SaipConfig } from './complete.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const KNOWN_VARIABLES = new Set([...LEAVES.map((leaf) => leaf.env), ...Object.keys(OTHER_VARIABLES)]);

/** A misspelt variable would silently leave a default in place. */
export function unknownVariables(env: Environment): ConfigProblem[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('SAIP_') && !KNOWN_VARIABLES.has(name))
    .map((setting) => ({ setting, message: 'no such setting' }));
}

/** Processes that reach the database or sign cannot do without a login. */
export function missingLogin(settings: SaipConfig): ConfigProblem[] {
  const needed = ['api', 'sequencer'].includes(settings.process) || settings.process.startsWith('worker-');
  if (!needed || settings.bao.loginFile !== undefined) return [];
  return [{ setting: 'SAIP_BAO_LOGIN_FILE', message: `required by the process ${settings.process}` }];
}

/** Half a trust is none: an issuer without its bindings would let any of its tokens in. */
export function incompleteTrust({ oidc }: SaipConfig): ConfigProblem[] {
  const { issuer, audience, repositoryId, ref, environment } = oidc;
  const bindings = { audience, repositoryId, ref, environment };
  if (issuer === undefined) {
    const given = Object.values({ ...bindings, keysUrl: oidc.keysUrl }).some((value) => value !== undefined);
    return given ? [{ setting: 'SAIP_OIDC_ISSUER', message: 'required by the other oidc settings' }] : [];
  }
  return Object.entries(bindings)
    .filter(([, value]) => value === undefined)
    .map(([name]) => ({ setting: nameOf(['oidc', name], {}, undefined), message: 'required with oidc.issuer' }));
}

/** A task that names no model must find one. */
export function missingModel({ llm }: SaipConfig): ConfigProblem[] {
  if (llm.model !== 'remote' || llm.url !== undefined) return [];
  return [{ setting: 'SAIP_LLM_URL', message: 'required where SAIP_LLM_MODEL is remote' }];
}

/** Names each setting the way its value came in. Values are left out: one of them may be a misplaced secret. */
export function schemaProblems(
  issues: readonly z.core.$ZodIssue[],
  env: Environment,
  file: string | undefined,
): ConfigProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ setting: nameOf([...path, key], env, file), message: 'no such setting' }));
    }
    return [{ setting: nameOf(path, env, file), message: issue.message }];
  });
}

function nameOf(path: readonly string[], env: Environment, file: string | undefined): string {
  const dotted = path.join('.');
  const variable = LEAVES.find((leaf) => leaf.path.join('.') === dotted)?.env;
  const inFile = file === undefined ? dotted : `${dotted} (${file})`;
  if (variable === undefined) return inFile;
  return env[variable] || file === undefined ? variable : inFile;
}
