import { Command } from 'commander';
import { registerAttacks } from './commands/attacks.ts';
import { registerAgent } from './commands/agent.ts';
import { registerAudit } from './commands/audit.ts';
import { registerBatchScore } from './commands/batch-score.ts';
import { registerBench } from './commands/bench.ts';
import { registerDatasets } from './commands/datasets.ts';
import { registerDemo } from './commands/demo.ts';
import { registerKeys } from './commands/keys.ts';
import { registerLimits } from './commands/limits.ts';
import { registerMisuse } from './commands/misuse.ts';
import { registerModels } from './commands/models.ts';
import { registerReleases } from './commands/releases.ts';
import { registerSchedules } from './commands/schedules.ts';
import { registerServing } from './commands/serving.ts';
import { registerStepCache } from './commands/step-cache.ts';
import { registerSession } from './commands/session.ts';
import { registerTrain } from './commands/train.ts';
import { registerWorkflows } from './commands/workflows.ts';
import type { Io } from './io.ts';
import { colorsOf } from './render/colors.ts';
import { registerStackCommands } from './stack/index.ts';

/** Every command of `saip`, in the order of its help. What a command does is loaded only when it runs. */
export function createProgram(io: Io, version: string): Command {
  const program = new Command('saip')
    .description('Train, register, deploy and ask models as durable workflows.')
    .version(version)
    .showSuggestionAfterError()
    .configureHelp({ styleTitle: (title) => colorsOf(io).bold(title) })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: io.columns,
      getOutHasColors: () => io.color,
      // Wrong arguments are reported with every other error, once.
      outputError: () => undefined,
    });
  registerDemo(program, io);
  registerStackCommands(program, io);
  registerTrain(program, io);
  registerWorkflows(program, io);
  registerModels(program, io);
  registerReleases(program, io);
  registerStepCache(program, io);
  registerDatasets(program, io);
  registerServing(program, io);
  registerBatchScore(program, io);
  registerAttacks(program, io);
  registerSchedules(program, io);
  registerAgent(program, io);
  registerKeys(program, io);
  registerLimits(program, io);
  registerMisuse(program, io);
  registerAudit(program, io);
  registerSession(program, io);
  registerBench(program, io);
  return program;
}
