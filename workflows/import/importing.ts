import type { ImportInput, ImportResult, ImportStage } from '../../contracts/import-model.ts';
import type { ApprovalDesk } from '../shared/approval.ts';
import type { Run } from '../shared/run.ts';
import type { Releasing } from '../train/training.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the parts of an import share. `result` grows from stage to stage. */
export interface Importing extends Releasing {
  readonly input: ImportInput;
  readonly run: Run<ImportStage>;
  readonly desk: ApprovalDesk<ImportStage>;
  readonly result: Writable<Omit<ImportResult, 'outcome' | 'reasons'>>;
}
