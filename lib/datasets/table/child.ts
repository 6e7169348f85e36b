import type { DatasetProblem } from '../errors.ts';
import { DatasetError } from '../errors.ts';
import { serveChild } from '../../heavy/index.ts';
import { analyse } from './analyse.ts';
import type { AnalyseOptions, AnalysedTable } from './analyse.ts';

export type AnalyseInput = Pick<AnalyseOptions, 'path' | 'file' | 'options'>;

/** Problems cross as a value: a failure has room for one field only. */
export type AnalyseOutput =
  { readonly table: AnalysedTable } | { readonly message: string; readonly problems: readonly DatasetProblem[] };

const STEPS = 100;

serveChild(async (input: AnalyseInput, report: (share: number) => void): Promise<AnalyseOutput> => {
  let told = 0;
  const onProgress = (share: number): void => {
    if (share < told + 1 / STEPS) return;
    told = share;
    report(share);
  };
  try {
    return { table: await analyse({ ...input, onProgress }) };
  } catch (error) {
    if (!(error instanceof DatasetError) || error.problems === undefined) throw error;
    return { message: error.message, problems: error.problems };
  }
});
