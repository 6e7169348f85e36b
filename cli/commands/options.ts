import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

/** Adds `--json`, which every command has. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print the result as JSON, and nothing else, on stdout');
}

/** Reads a whole number of at least `minimum`. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < minimum) {
      throw new InvalidArgumentError(`a whole number of at least ${String(minimum)} is needed.`);
    }
    return value;
  };
}

/** Collects an option that may be given several times. */
export function collect<T>(read: (text: string) => T): (text: string, previous: readonly T[] | undefined) => T[] {
  return (text, previous = []) => [...previous, read(text)];
}

/** The options that shape a training request, shared by `train` and `schedule create`. */
export function withTrainRequest(command: Command): Command {
  return command
    .option('--seed <n>', 'seed of split, initial weights, order and dropout', wholeNumber(0))
    .option('--epochs <n>', 'passes over the training set', wholeNumber(1))
    .option('--dataset <name>', 'data set; a preset names its own')
    .option(
      '--set <key=value>',
      'any field of the request by its path, such as training.batchSize=64; repeatable',
      collect(String),
    )
    .option('--register-as <name>', 'name in the registry; default: the name of the network')
    .option('--approval', 'wait for another person before signing')
    .option('--wait-on-failure', 'keep a failed stage open for a while, for saip workflows retry')
    .option('--no-rollout', 'register only; leave the champion as it is');
}
