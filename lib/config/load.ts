import { resolve } from 'node:path';
import { complete, type SaipConfig } from './complete.ts';
import { ConfigError } from './errors.ts';
import { LEAVES } from './leaves.ts';
import {
  incompleteTrust,
  missingLogin,
  missingModel,
  schemaProblems,
  unknownVariables,
  type Environment,
} from './problems.ts';
import { Settings } from './schema.ts';
import { readSettingsFile } from './settings-file.ts';
import { deepFreeze, withoutEmpty, withValue, type Tree } from './tree.ts';

const DEFAULT_HOME = resolve(import.meta.dirname, '..', '..', '.saip');

/**
 * Reads the configuration once, at the start of a process. Variables win over the settings file, the file over the
 * defaults; an empty variable counts as unset.
 *
 * @param processName which process this is; default: what `SAIP_PROCESS` says
 * @throws ConfigError with every problem at once, unknown `SAIP_*` variables among them
 */
export function loadConfig(processName?: string, variables: Environment = process.env): SaipConfig {
  const env = processName === undefined ? variables : { ...variables, SAIP_PROCESS: processName };
  const file = readSettingsFile({ beside: env['SAIP_HOME'] || DEFAULT_HOME, named: env['SAIP_CONFIG'] || undefined });
  const given = withVariables(withoutEmpty(file?.settings ?? {}), env);
  const parsed = Settings.safeParse(given);
  const config = parsed.success ? complete(parsed.data, DEFAULT_HOME) : undefined;
  const problems = [
    ...unknownVariables(env),
    ...schemaProblems(parsed.error?.issues ?? [], env, file?.path),
    ...(config === undefined ? [] : [...missingLogin(config), ...incompleteTrust(config), ...missingModel(config)]),
  ];
  if (config === undefined || problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(config);
}

function withVariables(tree: Tree, env: Environment): Tree {
  return LEAVES.reduce((settings, leaf) => {
    const value = env[leaf.env];
    return value === undefined || value === '' ? settings : withValue(settings, leaf.path, value);
  }, tree);
}
