import { z } from 'zod';
import { LEAVES, OTHER_VARIABLES, TELEMETRY_VARIABLES, type Leaf } from './leaves.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

function defaultOf(leaf: Leaf): string {
  if (leaf.schema instanceof z.ZodDefault) return `\`${String(leaf.schema.def.defaultValue)}\``;
  return leaf.derivedDefault ?? 'none; required';
}

function allowed(leaf: Leaf): string {
  const inner = leaf.schema instanceof z.ZodDefault ? leaf.schema.unwrap() : leaf.schema;
  return inner instanceof z.ZodEnum ? ` One of ${inner.options.map((option) => `\`${option}\``).join(', ')}.` : '';
}

function settingsTable(): string {
  const rows = LEAVES.map((leaf) => [
    `\`${leaf.env}\``,
    `\`${leaf.path.join('.')}\``,
    cell(leaf.description + allowed(leaf)),
    cell(defaultOf(leaf)),
  ]);
  return table(['variable', 'in `saip.yaml`', 'meaning', 'default'], rows);
}

function variablesTable(variables: Readonly<Record<string, string>>): string {
  return table(
    ['variable', 'meaning'],
    Object.entries(variables).map(([name, meaning]) => [`\`${name}\``, cell(meaning)]),
  );
}

/** Columns are padded as Prettier pads them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** The page `docs/configuration.md`, made from the schema. */
export function configurationReference(): string {
  return `# Configuration

This page is generated from the schema in \`lib/config\`: \`node lib/config/write-reference.ts\`.

Each process reads its configuration once, at its start. A variable wins over the settings file, the file over the
default; an empty variable counts as unset. Every problem is reported at once, and the process does not start with one.
Unknown \`SAIP_*\` variables and unknown keys of the file are problems too, so that a misspelt name is noticed.

The settings file is optional YAML: the one \`SAIP_CONFIG\` names, or \`saip.yaml\` in the folder that holds the state
directory. Its groups are the part of the name before the dot:

\`\`\`yaml
logLevel: debug
api:
  port: 8081
\`\`\`

No setting is a secret. Passwords and keys are in OpenBao; a process fetches them with the login that
\`SAIP_BAO_LOGIN_FILE\` names. On the embedded stack the supervisor sets the addresses below for every process it
starts.

## Settings

${settingsTable()}

## Other variables

${variablesTable(OTHER_VARIABLES)}

## Telemetry

Off, and not even loaded, unless one of the standard variables asks for it. The OpenTelemetry SDK reads all of its
[standard variables](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/); these decide
whether it is started.

${variablesTable(TELEMETRY_VARIABLES)}
`;
}
