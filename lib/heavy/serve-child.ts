import { describeFailure } from './errors.ts';
import type { ChildMessage, ParentMessage } from './messages.ts';

/** Exit code of a child whose parent is gone; nobody is left to read it but a process monitor. */
const ORPHANED = 70;

/**
 * Does the child's work. `report` sends and forgets; `ask` resolves with what the parent's `onReport` returned, so what
 * the parent does with that report has been done by then.
 */
export type ChildHandler<Input, Report, Result> = (
  input: Input,
  report: (value: Report) => void,
  ask: <Answer>(value: Report) => Promise<Answer>,
) => Promise<Result> | Result;

/**
 * The child's side of `runChild`: call it once, at the top level of the entry module. The process ends with the handler,
 * and also as soon as its event loop turns after the parent's death.
 */
export function serveChild<Input, Report, Result>(handler: ChildHandler<Input, Report, Result>): void {
  const questions: ((answer: unknown) => void)[] = [];
  process.once('disconnect', () => {
    endGroup();
    process.exit(ORPHANED);
  });
  process.on('message', (message: ParentMessage) => {
    if (message.kind === 'input') void work(handler, message.value as Input, questions);
    else questions[message.id]?.(message.value);
  });
}

async function work<Input, Report, Result>(
  handler: ChildHandler<Input, Report, Result>,
  input: Input,
  questions: ((answer: unknown) => void)[],
): Promise<void> {
  const report = (value: Report): void => void send({ kind: 'report', value });
  const ask = <Answer>(value: Report): Promise<Answer> =>
    new Promise((resolve) => {
      const id = questions.push((answer) => resolve(answer as Answer)) - 1;
      void send({ kind: 'report', value, id });
    });
  try {
    await send({ kind: 'result', value: await handler(input, report, ask) });
  } catch (error) {
    await send({ kind: 'failure', failure: describeFailure(error) });
  }
  // Not left to the event loop: native libraries may hold handles that keep an idle process alive.
  process.exit(0);
}

/** Children of this child may be blocked in native code or a system call, where they would never hear of it. */
function endGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // This process leads no group.
  }
}

function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    // A lost channel means a lost parent; `disconnect` ends the process.
    if (process.send === undefined || !process.connected) return resolve();
    process.send(message, undefined, undefined, () => resolve());
  });
}
