import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure, Suite } from '../figure.ts';
import { mnistModel } from '../inference/models.ts';
import { inTurn, middle, ratioOf, type Rounds } from '../inference/rounds.ts';
import { makeKey } from '../inference/tokens.ts';
import { callsWhileOff } from './calls.ts';
import { openSink, traced } from './contestants.ts';

const cpu = (run: { readonly cpuUs: number }): number => run.cpuUs;
const ROUNDS = 2;
/** Most of a request's processor time that tracing may cost while it is off. */
const SHARE = 0.05;

/** Processor time is compared: hardly disturbed by what else the machine does. */
export const suite: Suite = {
  title: 'telemetry: a prediction without OpenTelemetry, with it and nothing sampled, with every trace exported',
  async run(say) {
    const folder = await mkdtemp(join(tmpdir(), 'saip-bench-'));
    const sink = await openSink();
    try {
      const setting = {
        model: await mnistModel(folder),
        key: await makeKey(),
        audit: join(folder, 'audit'),
        python: '',
      };
      say('calls of OpenTelemetry while it is off');
      const calls = callsWhileOff();
      say('the server without the SDK, with it and nothing sampled, and with everything sampled');
      const [off = [], none = [], all = []] = await inTurn(
        [
          traced('off', setting, sink),
          traced('nothing sampled', setting, sink),
          traced('everything sampled', setting, sink),
        ],
        { seconds: 2 },
        ROUNDS,
      );
      if (sink.bytes() === 0) throw new Error('no span reached the collector of the benchmark');
      const share = calls / middle(off, cpu);
      return [
        {
          what: 'off: calls of OpenTelemetry, of a request',
          measured: `${(100 * share).toFixed(1)} %`,
          target: `≤ ${100 * SHARE} %`,
          met: share <= SHARE,
          detail: `${calls.toFixed(2)} of ${middle(off, cpu).toFixed(0)} µs of processor time; the SDK is not loaded`,
        },
        dearer('on, nothing sampled: processor time of a request', none, off, 1.3),
        dearer('on, every trace exported: processor time of a request', all, off, 3),
      ];
    } finally {
      sink.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function dearer(what: string, on: Rounds, off: Rounds, goal: number): Figure {
  const measured = ratioOf(on, off, cpu);
  const rate = (rounds: Rounds): string => `${middle(rounds, ({ perSecond }) => perSecond).toFixed(0)}/s`;
  return {
    what,
    measured: `${measured.toFixed(2)} ×`,
    target: `≤ ${goal} ×`,
    met: measured <= goal,
    detail: `${middle(on, cpu).toFixed(0)} against ${middle(off, cpu).toFixed(0)} µs, ${rate(on)} against ${rate(off)}`,
  };
}
