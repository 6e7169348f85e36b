import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { AttackListOptions, AttackStartOptions } from '../actions/attacks.ts';
import type { CurvesOptions, ExtractOptions } from '../actions/extractions.ts';
import type { CancelOptions } from '../actions/workflows.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { collect, wholeNumber, withJson } from './options.ts';

export function registerAttacks(program: Command, io: Io): void {
  const group = program.command('attack').description('attack registered models, and harden them');

  const start = group
    .command('start')
    .description('attack a version, harden it when it breaks, attack again')
    .argument('<model>', 'name in the registry')
    .option('--model-version <n>', 'default: the champion');
  withJson(
    withAttackRequest(start)
      .option('--follow', 'show the workflow until it ends; Ctrl-C detaches')
      .option('--idempotency-key <key>', 'the same key and request start nothing twice'),
  ).action(async (model: string, options: AttackStartOptions) => {
    const { startAttack } = await import('../actions/attacks.ts');
    process.exitCode = await startAttack(io, model, options);
  });

  withJson(
    group
      .command('list')
      .description('list results of attacks, newest first')
      .option('--model <name>', 'only those of one model')
      .option('--limit <n>', 'rows of a page', wholeNumber(1))
      .option('--page-token <token>', 'the page after the last one'),
  ).action(async (options: AttackListOptions) => {
    const { listAttacks } = await import('../actions/attacks.ts');
    process.exitCode = await listAttacks(io, options);
  });

  registerExtractions(group, io);

  withJson(
    group.command('show').description('show stages, accuracies and links of one attack').argument('<id>'),
  ).action(async (id: string, options: OutputOptions) => {
    const { showWorkflow } = await import('../actions/workflows.ts');
    process.exitCode = await showWorkflow(io, id, options);
  });

  withJson(
    group.command('follow').description('show an attack until it ends; Ctrl-C detaches').argument('<id>'),
  ).action(async (id: string, options: OutputOptions) => {
    const { follow } = await import('../actions/workflows.ts');
    process.exitCode = await follow(io, id, options);
  });

  withJson(
    group
      .command('cancel')
      .description('cancel an attack, and the training of a hardening with it')
      .argument('<id>')
      .option('--reason <text>', 'kept in the history', 'requested'),
  ).action(async (id: string, options: CancelOptions) => {
    const { cancel } = await import('../actions/workflows.ts');
    process.exitCode = await cancel(io, id, { ...options, role: 'redteam' });
  });
}

function registerExtractions(group: Command, io: Io): void {
  withJson(
    group
      .command('extract')
      .description('measure how many queries a copy of a version takes')
      .argument('<model>', 'name in the registry')
      .option('--model-version <n>', 'default: the champion')
      .option(
        '--queries <n>',
        'a number of queries to measure; repeatable; default 100, 300, 1000, 3000, 10000',
        collect(wholeNumber(10)),
      )
      .option('--answers <kind>', 'probabilities or labels; default: both')
      .option('--own-samples <n>', 'samples that the thief has; default: half of the test set', wholeNumber(10))
      .option('--substitute <preset>', "whose network the thief trains; default: the model's own")
      .option('--threshold <share>', 'fidelity from which on a copy counts as one; default 0.9', share)
      .option('--seed <n>', 'of halves, order and first weights', wholeNumber(0))
      .option('--set <key=value>', 'any field of the request by its path; repeatable', collect(String))
      .option('--follow', 'show the workflow until it ends; Ctrl-C detaches')
      .option('--idempotency-key <key>', 'the same key and request start nothing twice'),
  ).action(async (model: string, options: ExtractOptions) => {
    const { startExtraction } = await import('../actions/extractions.ts');
    process.exitCode = await startExtraction(io, model, options);
  });

  withJson(
    group
      .command('curves')
      .description('list what copies cost, newest first')
      .option('--model <name>', 'only those of one model')
      .option('--limit <n>', 'curves of a page', wholeNumber(1))
      .option('--page-token <token>', 'the page after the last one'),
  ).action(async (options: CurvesOptions) => {
    const { listExtractions } = await import('../actions/extractions.ts');
    process.exitCode = await listExtractions(io, options);
  });
}

/** The options that shape a request for an attack. */
function withAttackRequest(command: Command): Command {
  return command
    .option('--epsilon <share>', 'largest change as a share of the value range; repeatable', collect(share))
    .option('--samples <n>', 'test samples to attack', wholeNumber(1))
    .option('--seed <n>', 'seed of the samples and of the random starts', wholeNumber(0))
    .option('--steps <n>', 'steps of PGD', wholeNumber(1))
    .option('--restarts <n>', 'random starts of PGD', wholeNumber(1))
    .option('--goal <share>', 'worst-case accuracy to reach', share)
    .option('--goal-epsilon <share>', 'at this change', share)
    .option('--rounds <n>', 'most trainings to harden it', wholeNumber(1))
    .option('--minutes <n>', 'most minutes for all of it', wholeNumber(1))
    .option('--no-harden', 'measure only')
    .option(
      '--set <key=value>',
      'any field of the request by its path, such as harden.training.epochs=4; repeatable',
      collect(String),
    );
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0 || value > 1) {
    throw new InvalidArgumentError('a number between 0 and 1 is needed.');
  }
  return value;
}
