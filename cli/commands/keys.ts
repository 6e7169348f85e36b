import type { Command } from 'commander';
import type { CreateKeyOptions, ListKeysOptions, RotateKeyOptions } from '../actions/keys.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { collect, wholeNumber, withJson } from './options.ts';

export function registerKeys(program: Command, io: Io): void {
  const group = program.command('keys').description('API keys: long-lived credentials for programs that call models');

  withJson(
    group
      .command('create')
      .description('make a key; it is shown once')
      .argument('<name>', 'what it is for')
      .option('--as <role>', 'client of the local stack that owns the key', 'predictor')
      .option('--role <role>', 'what the key may be, at most what its owner is; repeatable', collect(String))
      .option(
        '--action <action>',
        'what it is good for; default model:infer and model:read; repeatable',
        collect(String),
      )
      .option('--model <name>', 'model that it may call; default: every one; repeatable', collect(String))
      .option('--days <days>', 'until it expires, at most 365 (default: 90)', wholeNumber(1)),
  ).action(async (name: string, options: CreateKeyOptions) => {
    const { createKey } = await import('../actions/keys.ts');
    process.exitCode = await createKey(io, name, options);
  });

  withJson(
    group
      .command('list')
      .description('list your keys, newest first')
      .option('--as <role>', 'client of the local stack whose keys to list', 'predictor')
      .option('--all', 'those of everybody; takes an administrator'),
  ).action(async (options: ListKeysOptions) => {
    const { listKeys } = await import('../actions/keys.ts');
    process.exitCode = await listKeys(io, options);
  });

  withJson(
    group
      .command('rotate')
      .description('get a new secret for a key; the former one goes on working for a while')
      .argument('<id>')
      .option('--overlap <seconds>', 'how long it does (default: 3600)', wholeNumber(0)),
  ).action(async (id: string, options: RotateKeyOptions) => {
    const { rotateKey } = await import('../actions/keys.ts');
    process.exitCode = await rotateKey(io, id, options);
  });

  withJson(group.command('revoke').description('end a key, within seconds everywhere').argument('<id>')).action(
    async (id: string, options: OutputOptions) => {
      const { revokeKey } = await import('../actions/keys.ts');
      process.exitCode = await revokeKey(io, id, options);
    },
  );
}
