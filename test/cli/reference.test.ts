import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { EXIT } from '../../cli/exit-codes.ts';
import { createProgram } from '../../cli/program.ts';
import { renderReference } from '../../cli/reference.ts';
import { recordedIo } from './support/terminal.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

describe('docs/cli.md', () => {
  it('describes the commands as they are (node --run docs:cli renews it)', () => {
    expect(page).toContain(renderReference(createProgram(recordedIo(), '0.0.0')));
  });

  it('lists every exit code', () => {
    for (const code of Object.values(EXIT)) expect(page).toMatch(new RegExp(`^\\| ${String(code)} +\\|`, 'm'));
  });
});

describe('every command', () => {
  it('has a description and can print JSON, but for those that are programs to look at', () => {
    const program = createProgram(recordedIo(), '0.0.0');
    const commands = program.commands.flatMap((command) =>
      command.commands.length === 0 ? [command] : [...command.commands],
    );
    expect(commands.length).toBeGreaterThan(25);
    expect(commands.filter((command) => command.description() === '')).toEqual([]);
    const without = commands.filter((command) => !command.options.some(({ long }) => long === '--json'));
    expect(without.map((command) => command.name())).toEqual(['demo', 'serve', 'bench']);
  });
});
