import type { Command } from 'commander';
import type { PredictionsOptions, ScoreOptions } from '../actions/batch-score.ts';
import type { Io } from '../io.ts';
import { withJson } from './options.ts';

export function registerBatchScore(program: Command, io: Io): void {
  withJson(
    program
      .command('score')
      .description('score every record of a CSV or NDJSON file, as a workflow that outlives its connection')
      .argument('<file>')
      .requiredOption('--model <model>', 'its champion, or another alias as MODEL@ALIAS')
      .option('--follow', 'show the workflow until it ends; Ctrl-C detaches')
      .option('--output <file>', 'wait for the predictions, and write them to this file')
      .option('--idempotency-key <key>', 'a repeated command with this key finds the run that it started'),
  ).action(async (file: string, options: ScoreOptions) => {
    const { scoreFile } = await import('../actions/batch-score.ts');
    process.exitCode = await scoreFile(io, file, options);
  });

  withJson(
    program
      .command('predictions')
      .description('get what a file was scored with, as NDJSON')
      .argument('<workflow>')
      .option('--output <file>', 'default: standard output')
      .option('--refused', 'the records that were refused, with line and reason'),
  ).action(async (workflow: string, options: PredictionsOptions) => {
    const { readPredictions } = await import('../actions/batch-score.ts');
    process.exitCode = await readPredictions(io, workflow, options);
  });
}
