import type { Command } from 'commander';
import type { AddOptions } from '../actions/dataset-request.ts';
import type { WithdrawOptions } from '../actions/datasets.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { collect, withJson } from './options.ts';

export function registerDatasets(program: Command, io: Io): void {
  const group = program.command('dataset').description('add data sets, and look at them and their cards');
  registerAdd(group, io);

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

  withJson(
    group.command('profile').description('show what was measured of a table when it was added').argument('<name>'),
  ).action(async (name: string, options: OutputOptions) => {
    const { showProfile } = await import('../actions/datasets.ts');
    process.exitCode = await showProfile(io, name, options);
  });

  withJson(
    group
      .command('withdraw')
      .description('take an added data set out of use; what was made of it stays')
      .argument('<name>')
      .option('--reason <text>', 'kept with the data set'),
  ).action(async (name: string, options: WithdrawOptions) => {
    const { withdrawDataset } = await import('../actions/datasets.ts');
    process.exitCode = await withdrawDataset(io, name, options);
  });
}

function registerAdd(group: Command, io: Io): void {
  const command = group
    .command('add')
    .description('make a data set of a CSV file: infer its schema, check it, write its card')
    .argument('<file>', 'a CSV file in UTF-8, whose first line names the columns')
    .requiredOption('--target <column>', 'what is to be predicted')
    .option('--name <name>', 'name of the data set; default: the name of the file')
    .option('--licence <licence>', 'identifier of the SPDX list, such as CC-BY-4.0, or a URL')
    .option('--description <text>', 'what the rows are')
    .option('--creator <person>', 'who made the data; repeatable', collect(String))
    .option('--organization <name>', 'which organisation made the data; repeatable', collect(String));
  withTableOptions(command);
  withCardOptions(command);
  withJson(command).action(async (file: string, options: AddOptions) => {
    const { addDataset } = await import('../actions/dataset-add.ts');
    process.exitCode = await addDataset(io, file, options);
  });
}

function withTableOptions(command: Command): Command {
  return command
    .option('--task <task>', 'classification or regression; default: by the values of the target')
    .option(
      '--column <column=kind>',
      'what a column is: numeric, categorical, boolean or drop; repeatable',
      collect(String),
    )
    .option('--drop <column>', 'leave a column out; repeatable', collect(String))
    .option(
      '--missing <text>',
      'a cell that means "no value", instead of NA, N/A, NaN, nan, null, NULL and ?; repeatable',
      collect(String),
    )
    .option('--delimiter <character>', 'one character, or tab; default: found by itself')
    .option('--unit <unit>', "unit of a regression's target");
}

function withCardOptions(command: Command): Command {
  return command
    .option('--use <text>', 'an intended use; repeatable', collect(String))
    .option('--limitation <text>', 'a known limit, or an unsuitable use; repeatable', collect(String))
    .option('--bias <text>', 'a known bias; repeatable', collect(String))
    .option('--personal <text>', 'which personal or sensitive information it holds; repeatable', collect(String))
    .option('--source <url>', 'what the data was derived from; repeatable', collect(String))
    .option('--collection <text>', 'how the data was collected')
    .option('--citation <text>', 'how to cite it')
    .option('--copyright <text>', 'who holds the copyright')
    .option('--url <url>', 'page of the data set')
    .option('--published <date>', 'when it was published, such as 2026-01-31')
    .option('--card <file>', 'a JSON file with properties of the Croissant card; options count more');
}
