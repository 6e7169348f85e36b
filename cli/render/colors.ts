import picocolors from 'picocolors';
import type { Io } from '../io.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

export function colorsOf(io: Io): Colors {
  return picocolors.createColors(io.color);
}
