import type { Command } from 'commander';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { withJson } from './options.ts';

export function registerDatasets(program: Command, io: Io): void {
  const group = program.command('dataset').description('look at the data sets and their cards');

  withJson(group.command('list').description('list the data sets')).action(async (options: OutputOptions) => {
    const { listDatasets } = await import('../actions/datasets.ts');
    process.exitCode = await listDatasets(io, options);
  });

  withJson(
    group.command('show').description('show a data set; with --json its whole Croissant card').argument('<name>'),
  ).action(async (name: string, options: OutputOptions) => {
    const { showDataset } = await import('../actions/datasets.ts');
    process.exitCode = await showDataset(io, name, options);
  });
}
