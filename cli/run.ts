import { CommanderError } from 'commander';
import picocolors from 'picocolors';
import { CliError, toCliError } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import type { Io } from './io.ts';
import { writeLine } from './io.ts';
import { createProgram } from './program.ts';

/** Runs one command line (without node and script) and leaves its exit code in `process.exitCode`. */
export async function run(io: Io, args: readonly string[], version: string): Promise<void> {
  try {
    await createProgram(io, version).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const reported = error instanceof CommanderError ? usageOf(error, args) : toCliError(error);
    report(io, reported, args.includes('--json'));
    process.exitCode = reported.exitCode;
  }
}

function usageOf(error: CommanderError, args: readonly string[]): CliError {
  // A group without a subcommand, and saip alone, have printed their help instead of a message.
  const message = error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: /, '');
  const command =
    error.code === 'commander.unknownCommand' ? [] : args.filter((arg) => !arg.startsWith('-')).slice(0, 1);
  return new CliError(message, {
    exitCode: EXIT.usage,
    hint: `See ${['saip', ...command, '--help'].join(' ')}.`,
    code: error.code,
    cause: error,
  });
}

/** One line, with its details, and a hint for people, one JSON object for programs; both on stderr. */
function report(io: Io, error: CliError, json: boolean): void {
  const { message, hint, code, traceId, details, exitCode } = error;
  if (json) {
    writeLine(
      io.stderr,
      JSON.stringify({ error: { message, hint, code, traceId, exitCode, ...(details.length > 0 && { details }) } }),
    );
  } else {
    const colors = picocolors.createColors(io.errorColor);
    const trace = traceId === undefined ? '' : ` (trace ${traceId})`;
    writeLine(io.stderr, `${colors.red('error:')} ${oneLine(message)}${trace}`);
    for (const detail of details) writeLine(io.stderr, `  ${oneLine(detail)}`);
    if (hint !== undefined) writeLine(io.stderr, `${colors.dim('hint:')} ${oneLine(hint)}`);
  }
  if (io.env.SAIP_DEBUG === '1') writeLine(io.stderr, debugText(error));
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

function debugText(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${debugText(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
