import { join, resolve } from 'node:path';
import type { z } from 'zod';
import type { Settings } from './schema.ts';

type Given = z.infer<typeof Settings>;

/** The settings of one process; frozen, free of secrets, with absolute paths. */
export interface SaipConfig extends Readonly<
  Omit<
    Given,
    | ('temporal' | 'mlflow' | 'bao' | 'postgres' | 'api' | 'serving' | 'audit' | 'limits' | 'misuse')
    | ('gpu' | 'stepCache' | 'oidc' | 'llm')
  >
> {
  readonly home: string;
  readonly artifacts: string;
  readonly temporal: Readonly<Given['temporal']>;
  readonly mlflow: Readonly<Given['mlflow']>;
  readonly bao: Readonly<Given['bao']>;
  readonly postgres: Readonly<Given['postgres']>;
  readonly api: Readonly<Given['api'] & { url: string }>;
  readonly serving: Readonly<Given['serving']>;
  readonly audit: Readonly<Given['audit'] & { spool: string }>;
  readonly limits: Readonly<Given['limits']>;
  readonly misuse: Readonly<Given['misuse']>;
  readonly gpu: Readonly<Given['gpu']>;
  readonly stepCache: Readonly<Given['stepCache']>;
  readonly oidc: Readonly<Given['oidc']>;
  readonly llm: Readonly<Given['llm']>;
}

/** Adds the defaults that follow from other settings, and makes paths absolute, so that no later `chdir` moves them. */
export function complete(given: Given, defaultHome: string): SaipConfig {
  const home = resolve(given.home ?? defaultHome);
  return {
    ...given,
    home,
    artifacts: resolve(given.artifacts ?? join(home, 'data', 'artifacts')),
    audit: { ...given.audit, spool: resolve(given.audit.spool ?? join(home, 'data', 'audit', 'spool')) },
    api: { ...given.api, url: given.api.url ?? urlOf(given.api) },
  };
}

function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
