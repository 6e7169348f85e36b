import { EXIT } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';
import { writeLine } from '../../io.ts';

export interface InterruptGuard {
  /** Hands Ctrl-C to a step that ends by itself when its signal aborts. */
  during<T>(step: (signal: AbortSignal) => Promise<T>): Promise<T>;
  dispose(): void;
}

/** Ctrl-C ends the demo at once, but never without saying what still runs. */
export function guardInterrupt(io: Io): InterruptGuard {
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
