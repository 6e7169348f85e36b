import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { platformEnvironment, urls } from '../environment.ts';
import type { PlatformProcess } from '../environment.ts';
import { expectOk } from '../http.ts';
import { SERVER_FLAGS } from '../node-flags.ts';
import type { Command, ServiceSpec, StackContext } from '../service.ts';
import { CHECKOUT } from '../toolchain.ts';

interface NodeProcess {
  readonly name: PlatformProcess;
  /** Entry module, from the root of the checkout. */
  readonly entry: string;
  /** Most the JavaScript heap may take, MiB. */
  readonly heap: number;
  /** More flags of Node. */
  readonly flags?: readonly string[];
}

function nodeCommand(
  context: StackContext,
  { name, entry, heap, flags = [] }: NodeProcess,
  env: Record<string, string>,
): Command {
  return {
    file: context.toolchain.node,
    args: [
      '--enable-source-maps',
      '--disable-warning=ExperimentalWarning',
      `--max-old-space-size=${heap}`,
      ...flags,
      join(CHECKOUT, entry),
    ],
    cwd: CHECKOUT,
    env: { NODE_ENV: 'production', ...platformEnvironment(context, name), ...env },
  };
}

export const api: ServiceSpec = {
  name: 'api',
  dependsOn: ['openbao', 'postgres', 'temporal'],
  port: 'api',
  url: urls.api,
  startTimeoutMs: 120_000,
  command: (context) => nodeCommand(context, { name: 'api', entry: 'api/main.ts', heap: 512, flags: SERVER_FLAGS }, {}),
  probe: ({ ports }) => expectOk(`${urls.api(ports)}/health/ready`),
};

/** Written by a worker once it polls its queue. */
function readyFile({ layout }: StackContext, name: string): string {
  return join(layout.run, `${name}.ready`);
}

function worker(
  process: NodeProcess,
  env: (context: StackContext) => Record<string, string> = () => ({}),
): ServiceSpec {
  return {
    name: process.name,
    dependsOn: ['openbao', 'postgres', 'temporal'],
    startTimeoutMs: 120_000,
    prepare: (context) => rm(readyFile(context, process.name), { force: true }),
    command: (context) =>
      nodeCommand(context, process, { ...env(context), SAIP_READY_FILE: readyFile(context, process.name) }),
    probe: (context) => access(readyFile(context, process.name)),
    // A running activity gets time to say that it was interrupted, so that another worker takes it up at once.
    stop: { graceMs: 20_000 },
  };
}

/** The CUDA libraries of the wheel are found by this variable alone. */
function libraryPath({ toolchain }: StackContext): Record<string, string> {
  const folders = toolchain.cudaLibraryPath;
  return folders.length === 0 ? {} : { LD_LIBRARY_PATH: folders.join(':') };
}

export const workers: readonly ServiceSpec[] = [
  worker({ name: 'worker-orchestration', entry: 'workers/orchestration.ts', heap: 512 }),
  worker({ name: 'worker-cpu', entry: 'workers/cpu.ts', heap: 512 }),
  worker({ name: 'worker-gpu', entry: 'workers/gpu.ts', heap: 512 }, libraryPath),
  worker({ name: 'worker-release', entry: 'workers/release.ts', heap: 256 }),
  worker({ name: 'worker-agents', entry: 'workers/agents.ts', heap: 256 }),
];

/** Orders the audit log into its tree, and alone may sign the tree's head. */
export const sequencer: ServiceSpec = {
  ...worker({ name: 'sequencer', entry: 'workers/sequencer.ts', heap: 256 }),
  dependsOn: ['openbao', 'postgres'],
};
