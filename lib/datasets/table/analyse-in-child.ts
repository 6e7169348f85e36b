import { runChild } from '../../heavy/index.ts';
import { DatasetError } from '../errors.ts';
import type { AnalyseOptions, AnalysedTable } from './analyse.ts';
import type { AnalyseInput, AnalyseOutput } from './child.ts';

/** Private memory of the child; `analyse` needs a fraction of it for any file. */
const MEMORY_BYTES = 2 ** 30;

/**
 * `analyse` in a process of its own, with a limit of memory: a stranger's file neither holds up nor brings down who asks.
 * @throws DatasetError as `analyse`; HeavyError where the child ended in another way
 */
export async function analyseInChild(o: AnalyseOptions): Promise<AnalysedTable> {
  const input: AnalyseInput = { path: o.path, file: o.file, options: o.options };
  const output = await runChild<AnalyseOutput, number>({
    entry: new URL('child.ts', import.meta.url),
    input,
    signal: o.signal,
    memoryBytes: MEMORY_BYTES,
    onReport: o.onProgress,
  });
  if ('table' in output) return output.table;
  const { message, problems } = output;
  throw new DatasetError('DATASET_TABLE_INVALID', message, { field: problems[0]?.field, problems });
}
