import { Writable } from 'node:stream';
import type { Io } from '../../../cli/io.ts';

/** An {@link Io} that keeps what is written to it. */
export interface RecordedIo extends Io {
  readonly written: () => string;
  readonly errors: () => string;
}

export function recordedIo(overrides: Partial<Pick<Io, 'env' | 'interactive' | 'color'>> & { columns?: number } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const io: RecordedIo = {
    stdout: sink(out),
    stderr: sink(err),
    env: overrides.env ?? {},
    interactive: overrides.interactive ?? false,
    color: overrides.color ?? false,
    errorColor: false,
    columns: () => overrides.columns ?? 80,
    written: () => out.join(''),
    errors: () => err.join(''),
  };
  return io;
}

function sink(chunks: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
}
