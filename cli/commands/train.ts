import type { Command } from 'commander';
import type { TrainOptions } from '../actions/train.ts';
import type { Io } from '../io.ts';
import { withJson, withSearch, withTrainRequest } from './options.ts';

export function registerTrain(program: Command, io: Io): void {
  const command = program
    .command('train')
    .description('train, evaluate, register and deploy a model as a durable workflow')
    .argument('<model>', 'preset (see: saip models presets) or a JSON file with a request, preset or network');
  withJson(
    withSearch(withTrainRequest(command))
      .option('--follow', 'show the workflow until it ends; Ctrl-C detaches')
      .option('--idempotency-key <key>', 'the same key and request start nothing twice'),
  ).action(async (model: string, options: TrainOptions) => {
    const { train } = await import('../actions/train.ts');
    process.exitCode = await train(io, model, options);
  });
}
