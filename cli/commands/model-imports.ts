import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { ImportOptions } from '../actions/model-imports.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { withJson } from './options.ts';

/** `saip models import` and `saip models scan`. */
export function registerModelImports(group: Command, io: Io): void {
  withJson(
    group
      .command('import')
      .description('import an ONNX model from elsewhere: scan, measure, gate, sign, register, roll out')
      .argument('<file>', 'ONNX file')
      .requiredOption('--card <file>', 'JSON file that says how the model is fed and read, and where it is from')
      .option('--as <name>', "name in the registry; default: the card's name")
      .option('--min-accuracy <share>', 'accuracy that it must reach on the test set', share)
      .option('--approval', 'ask another person before it is signed')
      .option('--no-rollout', 'register only')
      .option('--follow', 'show the workflow until it ends; Ctrl-C detaches')
      .option('--idempotency-key <key>', 'the same key and request start nothing twice'),
  ).action(async (file: string, options: ImportOptions) => {
    const { importModel } = await import('../actions/model-imports.ts');
    process.exitCode = await importModel(io, file, options);
  });

  withJson(
    group
      .command('scan')
      .description('judge an ONNX file by its structure, on this machine alone; nothing is loaded or sent')
      .argument('<file>', 'ONNX file'),
  ).action(async (file: string, options: OutputOptions) => {
    const { scanFile } = await import('../actions/model-imports.ts');
    process.exitCode = await scanFile(io, file, options);
  });
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError('a number between 0 and 1 is needed.');
  }
  return value;
}
