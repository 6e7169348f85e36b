import { ApiClient } from '../../client/index.ts';
import { EXIT } from '../../exit-codes.ts';
import type { ExitCode } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';
import { writeLine } from '../../io.ts';
import { colorsOf } from '../../render/colors.ts';
import { renderPairs } from '../../render/table.ts';
import { formatDuration } from '../../render/time.ts';
import { up } from '../../stack/up.ts';
import { guardInterrupt } from './interrupt.ts';
import { mainJob } from './main-job.ts';
import { DemoStopped, heading } from './stage.ts';
import { FULL_PARTS, wholeStory } from './whole-story.ts';

export interface DemoOptions {
  readonly preset?: string;
  /** All four workflows instead of the first one alone. */
  readonly full?: boolean;
}

/** A first start creates keys, databases and MLflow's schema. */
const START_TIMEOUT_MS = 300_000;

/** `saip demo`: from a stopped stack to predictions over HTTP, or through all four workflows. Leaves the stack up. */
export async function demo(io: Io, options: DemoOptions): Promise<ExitCode> {
  const begun = Date.now();
  const interrupt = guardInterrupt(io);
  try {
    heading(io, 1, options.full === true ? FULL_PARTS : 3, 'Start the stack');
    await up(io, { only: [], timeoutMs: START_TIMEOUT_MS });
    const api = await ApiClient.open(io.env);
    const stage = { io, api, interrupt };
    if (options.full === true) {
      await wholeStory(stage);
    } else {
      const { preset, temporal } = await mainJob(stage, options.preset);
      sayWhereNext(io, api, preset, temporal);
    }
    sayHowToStop(io);
    writeLine(io.stdout, `\nDone in ${formatDuration(Date.now() - begun)}.`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof DemoStopped)) throw error;
    sayHowToStop(io);
    return error.exitCode;
  } finally {
    interrupt.dispose();
  }
}

function sayWhereNext(io: Io, api: ApiClient, model: string, workflowPage: string | undefined): void {
  const { stack } = api.connection;
  const colors = colorsOf(io);
  writeLine(io.stdout, `\n${colors.bold('Look at it')}`);
  writeLine(
    io.stdout,
    renderPairs([
      ['Temporal UI', workflowPage ?? stack?.temporalUi],
      ['MLflow UI', stack?.mlflow],
      ['API docs', stack?.docs],
    ]),
  );
  writeLine(io.stdout, `\n${colors.bold('Try next')}`);
  writeLine(io.stdout, `./saip predict ${model} --mnist 42 1000`);
  writeLine(io.stdout, `./saip models history ${model}`);
  writeLine(io.stdout, './saip train mnist-mlp --approval --follow');
  writeLine(io.stdout, 'make demo FULL=1      # attack it, harden it, release it, ask an agent about it');
  writeLine(io.stdout, './saip --help');
}

function sayHowToStop(io: Io): void {
  writeLine(io.stdout, '\nThe stack stays up. Stop it: make down. What it stored stays; make clean removes it.');
}
