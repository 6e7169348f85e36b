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

/** Reads a number of at least `minimum`. */
export function amount(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < minimum) {
      throw new InvalidArgumentError(`a number of at least ${String(minimum)} is needed.`);
    }
    return value;
  };
}

/** Collects an option that may be given several times. */
export function collect<T>(read: (text: string) => T): (text: string, previous: readonly T[] | undefined) => T[] {
  return (text, previous = []) => [...previous, read(text)];
}

/** The options of a search for the best configuration. */
export function withSearch(command: Command): Command {
  return command
    .option('--search', 'try configurations by successive halving, then train the best one')
    .option('--space <file>', 'JSON file: path of a field → its range; default: what follows from the preset')
    .option(
      '--objective <name>',
      'what is compared on the validation split: loss (default) or accuracy; of a regression rmse',
    )
    .option('--trials <n>', 'configurations to try; default 12, at most 256', wholeNumber(1))
    .option('--max-epochs <n>', 'epochs of a whole training; default: those of the preset', wholeNumber(1))
    .option('--min-epochs <n>', 'epochs before a configuration is judged; default 1', wholeNumber(1))
    .option('--eta <n>', 'one in so many goes on, for so many times the epochs; default 3', wholeNumber(2))
    .option('--parallel <n>', 'trials at the same time; default 2', wholeNumber(1))
    .option('--minutes <n>', 'time for the search; default 60', wholeNumber(1));
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
    .option('--no-cache', 'run every stage anew, and keep no result for later runs')
    .option('--from <stage>', 'run this stage and all later ones anew, such as train')
    .option('--no-rollout', 'register only; leave the champion as it is');
}
