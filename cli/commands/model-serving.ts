import type { Command } from 'commander';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { withJson } from './options.ts';

/** What is in service, and who decides that: part of `saip models`. */
export function registerModelServing(group: Command, io: Io): void {
  withJson(
    group.command('served').description('list the versions that an alias means, and whether they answer'),
  ).action(async (options: OutputOptions) => {
    const { listServed } = await import('../actions/model-serving.ts');
    process.exitCode = await listServed(io, options);
  });

  withJson(
    group
      .command('stats')
      .description('show how often versions were asked, and how long they took')
      .argument('[model]', 'its champion, or another alias as MODEL@ALIAS; default: all that are loaded'),
  ).action(async (model: string | undefined, options: OutputOptions) => {
    const { showStatistics } = await import('../actions/model-serving.ts');
    process.exitCode = await showStatistics(io, model, options);
  });

  withJson(
    group.command('unload').description('take a model out of service everywhere; its aliases stay').argument('<model>'),
  ).action(async (model: string, options: OutputOptions) => {
    const { switchModel } = await import('../actions/model-serving.ts');
    process.exitCode = await switchModel(io, model, false, options);
  });

  withJson(
    group
      .command('load')
      .description('verify and load a model anew, and bring it back into service')
      .argument('<model>'),
  ).action(async (model: string, options: OutputOptions) => {
    const { switchModel } = await import('../actions/model-serving.ts');
    process.exitCode = await switchModel(io, model, true, options);
  });
}
