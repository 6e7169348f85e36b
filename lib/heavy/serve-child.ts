import { describeFailure } from './errors.ts';
import type { ChildMessage, InputMessage } from './messages.ts';

/** Exit code of a child whose parent is gone; nobody is left to read it but a process monitor. */
const ORPHANED = 70;

export type ChildHandler<Input, Report, Result> = (
  input: Input,
  report: (value: Report) => void,
) => Promise<Result> | Result;

/**
 * The child's side of `runChild`: call it once, at the top level of the entry module. The process ends with the handler,
 * and also as soon as its event loop turns after the parent's death.
 */
export function serveChild<Input, Report, Result>(handler: ChildHandler<Input, Report, Result>): void {
  process.once('disconnect', () => process.exit(ORPHANED));
  process.once('message', (message: InputMessage) => {
    void answer(handler, message.value as Input);
  });
}

async function answer<Input, Report, Result>(
  handler: ChildHandler<Input, Report, Result>,
  input: Input,
): Promise<void> {
  const report = (value: Report): void => void send({ kind: 'report', value });
  try {
    await send({ kind: 'result', value: await handler(input, report) });
  } catch (error) {
    await send({ kind: 'failure', failure: describeFailure(error) });
  }
  // Not left to the event loop: native libraries may hold handles that keep an idle process alive.
  process.exit(0);
}

function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    // A lost channel means a lost parent; `disconnect` ends the process.
    if (process.send === undefined || !process.connected) return resolve();
    process.send(message, undefined, undefined, () => resolve());
  });
}
