import type { Command } from 'commander';
import type { VerifyOptions } from '../actions/release-verify.ts';
import type { DownloadOptions, ListReleasesOptions, StartReleaseOptions } from '../actions/releases.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { collect, wholeNumber, withJson } from './options.ts';

export function registerReleases(program: Command, io: Io): void {
  const group = program.command('release').description('release models, and verify releases without any server');
  registerStart(group, io);
  registerReading(group, io);

  withJson(
    group
      .command('verify')
      .description('verify a release folder with public keys that you trust; needs no server')
      .argument('<folder>')
      .option('--keys <file>', 'PEM file with trusted public keys; repeatable', collect(String))
      .option(
        '--fingerprint <sha256>',
        'trust the key in the folder that has this fingerprint; repeatable',
        collect(String),
      )
      .option('--builder <uri>', 'builder that the provenance must name; default: the release worker of this platform'),
  ).action(async (folder: string, options: VerifyOptions) => {
    const { verify } = await import('../actions/release-verify.ts');
    process.exitCode = await verify(io, folder, options);
  });
}

function registerStart(group: Command, io: Io): void {
  withJson(
    group
      .command('start')
      .description('release a registered version as a durable workflow')
      .argument('<model>')
      .argument('[version]', 'default: the champion')
      .option('--notes <text>', 'kept in the release')
      .option('--risk <risk>', 'what its use puts at stake: low, medium or high', 'medium')
      .option('--require-attack-report', 'refuse without a report of an attack')
      .option('--approval', 'ask for another person also where policy does not')
      .option('--approval-timeout <seconds>', 'how long another person has', wholeNumber(1))
      .option('--follow', 'show the workflow until it ends; Ctrl-C detaches')
      .option('--idempotency-key <key>', 'the same key and request start nothing twice'),
  ).action(async (model: string, version: string | undefined, options: StartReleaseOptions) => {
    const { startRelease } = await import('../actions/releases.ts');
    process.exitCode = await startRelease(io, { model, version }, options);
  });
}

function registerReading(group: Command, io: Io): void {
  withJson(
    group
      .command('list')
      .description('list published releases, newest first')
      .option('--model <name>', 'only those of one model')
      .option('--limit <n>', 'rows of a page', wholeNumber(1))
      .option('--page-token <token>', 'the page after the last one'),
  ).action(async (options: ListReleasesOptions) => {
    const { listReleases } = await import('../actions/releases.ts');
    process.exitCode = await listReleases(io, options);
  });

  withJson(
    group.command('show').description('show what a release consists of').argument('<model>').argument('<version>'),
  ).action(async (model: string, version: string, options: OutputOptions) => {
    const { showRelease } = await import('../actions/releases.ts');
    process.exitCode = await showRelease(io, model, version, options);
  });

  withJson(
    group
      .command('download')
      .description('get a release as a folder; verify it afterwards')
      .argument('<model>')
      .argument('<version>')
      .option('--to <folder>', 'a folder that does not exist yet; default: MODEL-VERSION'),
  ).action(async (model: string, version: string, options: DownloadOptions) => {
    const { downloadRelease } = await import('../actions/releases.ts');
    process.exitCode = await downloadRelease(io, model, version, options);
  });

  withJson(
    group.command('keys').description('print the public keys of the platform (PEM), for release verify --keys'),
  ).action(async (options: OutputOptions) => {
    const { printKeys } = await import('../actions/releases.ts');
    process.exitCode = await printKeys(io, options);
  });
}
