export { HeavyError } from './errors.ts';
export { runChild } from './run-child.ts';
export type { RunChildOptions } from './run-child.ts';
export { serveChild } from './serve-child.ts';
export type { ChildHandler } from './serve-child.ts';
export { inWorkFolder, makeWorkFolder, sweepWorkFolders } from './work-folder.ts';
