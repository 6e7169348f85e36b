import { spawn } from 'node:child_process';
import { serveChild } from '../../../lib/heavy/index.ts';
import { SaipError } from '../../../contracts/errors.ts';

type Input =
  | { readonly do: 'echo'; readonly value: unknown }
  | { readonly do: 'report' | 'ask'; readonly count: number }
  | { readonly do: 'throw' | 'hang' | 'environment' | 'fill' | 'grandchild' | 'die' | 'bad-alloc' };

/** Ways a heavy child can end, chosen by its input. */
serveChild(async (input: Input, report, ask): Promise<unknown> => {
  switch (input.do) {
    case 'echo':
      return input.value;
    case 'report':
      for (let index = 0; index < input.count; index += 1) report(index);
      return input.count;
    case 'ask': {
      const answers: number[] = [];
      for (let index = 0; index < input.count; index += 1) answers.push(await ask<number>(index));
      return answers;
    }
    case 'throw':
      throw new SaipError('MODEL_CONFIG_INVALID', 'no such layer', { field: 'layers[3]' });
    case 'environment':
      return process.env;
    case 'die':
      return process.kill(process.pid, 'SIGKILL');
    case 'fill': {
      const held: Uint8Array[] = [];
      for (;;) held.push(new Uint8Array(32 * 2 ** 20).fill(1));
    }
    case 'bad-alloc':
      process.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n");
      // The stacks of several threads, as V8 prints them.
      process.stderr.write('    1: node::OOMErrorHandler\n'.repeat(64));
      return process.abort();
    case 'grandchild':
      report(spawn('sleep', ['600'], { stdio: 'ignore' }).pid);
      return await hang();
    case 'hang':
      report('hanging');
      return await hang();
  }
});

function hang(): Promise<never> {
  return new Promise(() => setInterval(() => undefined, 1000));
}
