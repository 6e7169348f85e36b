import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigError } from './errors.ts';

const Mapping = z.record(z.string(), z.unknown());

export interface SettingsFile {
  readonly path: string;
  /** Nested as in the schema. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * Reads the optional settings file: the one `SAIP_CONFIG` names, which must exist, or `saip.yaml` next to the state
 * directory.
 * @throws ConfigError when it cannot be read or is not a YAML mapping
 */
export function readSettingsFile(where: {
  readonly beside: string;
  readonly named: string | undefined;
}): SettingsFile | undefined {
  const path = resolve(where.named ?? join(dirname(resolve(where.beside)), 'saip.yaml'));
  if (where.named === undefined && !existsSync(path)) return undefined;
  return { path, settings: parseSettings(path, read(path)) };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError([{ setting: path, message: 'the settings file cannot be read' }], { cause });
  }
}

function parseSettings(path: string, source: string): Record<string, unknown> {
  const settings = Mapping.safeParse(parseYaml(path, source) ?? {});
  if (!settings.success) throw new ConfigError([{ setting: path, message: 'expected a mapping of settings' }]);
  return settings.data;
}

function parseYaml(path: string, source: string): unknown {
  try {
    return parse(source);
  } catch (cause) {
    const message = cause instanceof Error ? firstLine(cause.message) : 'not YAML';
    // Without the cause, which quotes the file.
    throw new ConfigError([{ setting: path, message }]);
  }
}

/** The lines after the first quote the file. */
function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.replace(/:$/, '') ?? message;
}
