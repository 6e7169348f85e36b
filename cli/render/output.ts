import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';

export interface OutputOptions {
  readonly json?: boolean;
}

/** Writes a command's result: the value itself as JSON, or what `human` makes of it. */
export function present<T>(io: Io, options: OutputOptions, value: T, human: (value: T) => string): void {
  writeLine(io.stdout, options.json === true ? JSON.stringify(value, undefined, 2) : human(value));
}
