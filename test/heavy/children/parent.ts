import { runChild } from '../../../lib/heavy/index.ts';

/** Starts a child that never ends, prints its pid, and waits to be killed. */
let pid: number | undefined;
await runChild({
  entry: new URL('./child.ts', import.meta.url),
  input: { do: 'hang' },
  onStart: (started) => {
    pid = started;
  },
  onReport: () => console.log(pid),
});
