import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableOptions } from '../../../../contracts/own-data.ts';
import type { TableColumn } from '../../../../contracts/table.ts';
import type { ColumnProfile } from '../../../../contracts/table-profile.ts';
import { DatasetError, analyse, type AnalysedTable } from '../../../../lib/datasets/index.ts';

type Options = Partial<TableOptions>;

/** Analyses the text as the file `t.csv`, whose target is `y` unless the options say something else. */
export async function analysed(content: string | Buffer, options: Options = {}): Promise<AnalysedTable> {
  const folder = mkdtempSync(join(tmpdir(), 'saip-table-'));
  try {
    const path = join(folder, 't.csv');
    writeFileSync(path, content);
    return await analyse({ path, file: 't.csv', options: TableOptions.parse({ target: 'y', ...options }) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The problems of a table that must be refused. */
export async function refused(content: string | Buffer, options: Options = {}): Promise<DatasetError> {
  try {
    await analysed(content, options);
  } catch (error) {
    if (error instanceof DatasetError) return error;
    throw error;
  }
  throw new Error('the table was accepted');
}

/** CSV of a header and rows that a function makes. */
export function csv(header: string, rows: number, row: (index: number) => string): string {
  return `${[header, ...Array.from({ length: rows }, (_, index) => row(index))].join('\n')}\n`;
}

export function feature({ schema }: AnalysedTable, name: string): TableColumn | undefined {
  return schema.features.find((column) => column.name === name);
}

export function column({ profile }: AnalysedTable, name: string): ColumnProfile | undefined {
  return profile.columns.find((candidate) => candidate.name === name);
}
