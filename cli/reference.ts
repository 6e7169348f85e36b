import type { Argument, Command, Option } from 'commander';

/** Every command of a program as Markdown, in the order of its help. `--json`, which all have, is left out. */
export function renderReference(program: Command): string {
  return leaves(program, [])
    .map(({ command, names }) => renderCommand(command, names))
    .join('\n');
}

interface NamedCommand {
  readonly command: Command;
  readonly names: readonly string[];
}

function leaves(command: Command, parents: readonly string[]): NamedCommand[] {
  const names = [...parents, command.name()];
  if (command.commands.length === 0) return [{ command, names }];
  return command.commands.flatMap((child) => leaves(child, names));
}

function renderCommand(command: Command, names: readonly string[]): string {
  const usage = [...names, ...command.registeredArguments.map(usageOfArgument)].join(' ');
  const described = command.registeredArguments.filter(({ description }) => description !== '');
  const items = [
    ...described.map((argument) => `- ${usageOfArgument(argument)}: ${argument.description}`),
    ...command.options.filter(({ hidden, long }) => !hidden && long !== '--json').map(renderOption),
  ];
  const list = items.length === 0 ? '' : `\n${items.join('\n')}\n`;
  return `### \`${usage}\`\n\n${sentence(command.description())}\n${list}`;
}

function usageOfArgument(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '…' : ''}`.toUpperCase();
  return argument.required ? name : `[${name}]`;
}

function renderOption(option: Option): string {
  const { flags, description } = option;
  const defaultValue: unknown = option.defaultValue;
  // The default of --no-… is "not given", which goes without saying; so does that of an empty list.
  const shown = !option.negate && (typeof defaultValue === 'string' || typeof defaultValue === 'number');
  return `- \`${flags}\`: ${description}${shown ? ` (default: \`${String(defaultValue)}\`)` : ''}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
