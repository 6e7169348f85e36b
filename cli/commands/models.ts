import type { Command } from 'commander';
import type { LineageOptions } from '../actions/lineage.ts';
import type { HistoryOptions } from '../actions/models.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { registerModelImports } from './model-imports.ts';
import { registerModelServing } from './model-serving.ts';
import { withJson } from './options.ts';

export function registerModels(program: Command, io: Io): void {
  const group = program.command('models').description('look into the model registry, and import models from elsewhere');
  registerModelImports(group, io);
  registerModelServing(group, io);

  withJson(group.command('list').description('list registered models')).action(async (options: OutputOptions) => {
    const { listModels } = await import('../actions/models.ts');
    process.exitCode = await listModels(io, options);
  });

  withJson(
    group.command('show').description('show a model, its champion and who serves it').argument('<model>'),
  ).action(async (model: string, options: OutputOptions) => {
    const { showModel } = await import('../actions/models.ts');
    process.exitCode = await showModel(io, model, options);
  });

  withJson(group.command('versions').description('list the versions of a model').argument('<model>')).action(
    async (model: string, options: OutputOptions) => {
      const { listVersions } = await import('../actions/models.ts');
      process.exitCode = await listVersions(io, model, options);
    },
  );

  withJson(group.command('aliases').description('list what each alias names now').argument('<model>')).action(
    async (model: string, options: OutputOptions) => {
      const { listAliases } = await import('../actions/models.ts');
      process.exitCode = await listAliases(io, model, options);
    },
  );

  withJson(
    group
      .command('history')
      .description('show when which version was live')
      .argument('<model>')
      .option('--alias <alias>', 'only this alias')
      .option('--at <time>', 'what was live then, such as 2026-01-31T03:00:00Z'),
  ).action(async (model: string, options: HistoryOptions) => {
    const { showHistory } = await import('../actions/models.ts');
    process.exitCode = await showHistory(io, model, options);
  });

  withJson(
    group
      .command('lineage')
      .description('show what a version came from, or which versions came from something')
      .argument('[model]', 'NAME, NAME@alias or NAME:version; a name alone means its champion')
      .option('--data <sha256>', 'versions from this data, data card or prepared data, or this data set')
      .option('--code <commit>', 'versions from this commit or digest of the training’s code')
      .option('--run <id>', 'versions from this workflow, run or MLflow run, also where stages of it were reused')
      .option('--release <id>', 'the version of this release: its workflow or the digest of its manifest')
      .option('--digest <sha256>', 'versions with this digest of folder, file, weights or signature'),
  ).action(async (model: string | undefined, options: LineageOptions) => {
    const { showLineage } = await import('../actions/lineage.ts');
    process.exitCode = await showLineage(io, model, options);
  });

  withJson(group.command('presets').description('list networks with a training that is known to work')).action(
    async (options: OutputOptions) => {
      const { listPresets } = await import('../actions/models.ts');
      process.exitCode = await listPresets(io, options);
    },
  );
}
