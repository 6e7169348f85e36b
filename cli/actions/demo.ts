import { ModelList, WorkflowStarted } from '../../contracts/api.ts';
import { ApiClient } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { followWorkflow } from '../follow/index.ts';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import { renderPairs } from '../render/table.ts';
import { formatDuration } from '../render/time.ts';
import { up } from '../stack/up.ts';
import { predictMnist } from './predict.ts';

export interface DemoOptions {
  readonly preset?: string;
}

/** The first run trains the network worth keeping, later ones a small network: they show the same path in less time. */
const FIRST_PRESET = 'mnist-cnn';
const LATER_PRESET = 'mnist-softmax';
/** A first start creates keys, databases and MLflow's schema. */
const START_TIMEOUT_MS = 300_000;
const TEST_IMAGES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** `saip demo`: the main job from a stopped stack to predictions over HTTP. Leaves the stack up. */
export async function demo(io: Io, options: DemoOptions): Promise<ExitCode> {
  const begun = Date.now();
  const interrupt = guardInterrupt(io);
  try {
    heading(io, 1, 'Start the stack');
    await up(io, { only: [], timeoutMs: START_TIMEOUT_MS });
    const api = await ApiClient.open(io.env);

    const preset = options.preset ?? (await choosePreset(io, api));
    heading(io, 2, `Train, evaluate, sign, register and deploy ${preset}`);
    const started = await api.post('/v1/workflows/train-register-deploy', { model: preset }, WorkflowStarted, {
      role: 'trainer',
    });
    if (started.links.temporal !== undefined) writeLine(io.stdout, `Temporal UI  ${started.links.temporal}\n`);
    const followed = await interrupt.during((signal) => followWorkflow(io, api, started.workflowId, { signal }));
    if (followed.exitCode !== EXIT.ok) {
      sayHowToStop(io);
      return followed.exitCode;
    }

    heading(io, 3, 'Predict ten test images over HTTP');
    await predictMnist(io, api, preset, TEST_IMAGES, {});
    sayWhereNext(io, api, preset, started.links.temporal);
    writeLine(io.stdout, `\nDone in ${formatDuration(Date.now() - begun)}.`);
    return EXIT.ok;
  } finally {
    interrupt.dispose();
  }
}

async function choosePreset(io: Io, api: ApiClient): Promise<string> {
  const { models } = await api.get('/v1/models', ModelList, { role: 'viewer', query: { limit: 200 } });
  const champion = models.find(({ name }) => name === FIRST_PRESET)?.aliases.champion;
  if (champion === undefined) return FIRST_PRESET;
  writeLine(io.stdout, `\n${FIRST_PRESET} version ${champion} is the champion already, so this run trains the small`);
  writeLine(io.stdout, `${LATER_PRESET}. To train the large one again: saip demo --preset ${FIRST_PRESET}`);
  return LATER_PRESET;
}

function heading(io: Io, number: number, text: string): void {
  const colors = colorsOf(io);
  writeLine(io.stdout, `\n${colors.bold(colors.cyan(`${String(number)}/3 ${text}`))}`);
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
  writeLine(io.stdout, './saip --help');
  sayHowToStop(io);
}

function sayHowToStop(io: Io): void {
  writeLine(io.stdout, '\nThe stack stays up. Stop it: make down. What it stored stays; make clean removes it.');
}

interface InterruptGuard {
  /** Hands Ctrl-C to a step that ends by itself when its signal aborts. */
  during<T>(step: (signal: AbortSignal) => Promise<T>): Promise<T>;
  dispose(): void;
}

/** Ctrl-C ends the demo at once, but never without saying what still runs. */
function guardInterrupt(io: Io): InterruptGuard {
  let step: AbortController | undefined;
  const onInterrupt = (): void => {
    if (step !== undefined) {
      step.abort();
      return;
    }
    writeLine(io.stderr, '\nInterrupted. The stack runs on in the background: see it with ./saip status, stop it');
    writeLine(io.stderr, 'with make down, go on with make demo.');
    process.exit(EXIT.interrupted);
  };
  process.on('SIGINT', onInterrupt);
  return {
    async during(run) {
      step = new AbortController();
      try {
        return await run(step.signal);
      } finally {
        step = undefined;
      }
    },
    dispose: () => process.off('SIGINT', onInterrupt),
  };
}
