import type { Command } from 'commander';
import { processIo } from '../io.ts';
import type { Io } from '../io.ts';
import { registerDown } from './down.ts';
import { registerUp } from './up.ts';

/** Adds the commands that work on the embedded stack itself and need no API. */
export function registerStackCommands(program: Command, io: Io = processIo()): void {
  registerUp(program, io);
  registerDown(program, io);
}
