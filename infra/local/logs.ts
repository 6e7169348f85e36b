import { join } from 'node:path';
import { createStream } from 'rotating-file-stream';
import type { RotatingFileStream } from 'rotating-file-stream';

/** One file a service, rotated at 10 MB; five older files are kept as `<name>.log.1` … `.5`. */
export function openLog(directory: string, name: string): RotatingFileStream {
  return createStream(`${name}.log`, { path: directory, size: '10M', rotate: 5, mode: 0o600 });
}

export function logFile(directory: string, name: string): string {
  return join(directory, `${name}.log`);
}
