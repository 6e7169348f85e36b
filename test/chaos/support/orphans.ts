import { readFileSync } from 'node:fs';
import { readStackId } from '../../../infra/local/identity.ts';
import { stackLayout } from '../../../infra/local/index.ts';
import { familyOf, identify, markedProcesses, readProcess } from '../../../infra/local/processes.ts';
import type { ChaosStack } from './chaos-stack.ts';
import { children } from './strike.ts';

interface Found {
  readonly pid: number;
  readonly parent: number | undefined;
  readonly command: string;
}

/** Processes with the mark of the stack that belong to no service the supervisor knows. */
export function orphans(stack: ChaosStack): Found[] {
  const looked = stack.services().flatMap(({ pid }) => {
    const identity = pid === undefined ? undefined : identify(pid);
    return identity === undefined ? [] : familyOf(identity);
  });
  const known = new Set(looked.map(({ pid }) => pid));
  const stackId = readStackId(stackLayout(stack.home)) ?? '';
  return markedProcesses(stackId)
    .filter(({ pid }) => !known.has(pid))
    .map(({ pid }) => describeProcess(pid));
}

/** Children of the pools; call it while they have nothing to do. */
export function workingChildren(stack: ChaosStack): Found[] {
  const workers = stack.services().filter(({ name }) => name.startsWith('worker-'));
  return workers.flatMap(({ pid }) => (pid === undefined ? [] : children(pid).map(describeProcess)));
}

function describeProcess(pid: number): Found {
  const parent = readProcess(pid)?.parent;
  try {
    return { pid, parent, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 300) };
  } catch {
    return { pid, parent, command: '' };
  }
}
