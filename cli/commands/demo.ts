import type { Command } from 'commander';
import type { DemoOptions } from '../actions/demo/index.ts';
import type { Io } from '../io.ts';

export function registerDemo(program: Command, io: Io): void {
  program
    .command('demo')
    .description('start the stack, train on MNIST, deploy, and predict ten test images')
    .option('--preset <name>', 'what to train; default: mnist-cnn')
    .option('--full', 'go on: attack, harden, retest, approve, release, verify, serve, ask the agent')
    .action(async (options: DemoOptions) => {
      const { demo } = await import('../actions/demo/index.ts');
      process.exitCode = await demo(io, options);
    });
}
