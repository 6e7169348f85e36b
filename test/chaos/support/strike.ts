import { setTimeout as delay } from 'node:timers/promises';
import { familyOf, identify, readProcess } from '../../../infra/local/processes.ts';
import type { ChaosStack } from './chaos-stack.ts';
import type { Moment, Strike } from './plan.ts';

/** Usual milliseconds of each moment, as the undisturbed run had them. */
export type Durations = Readonly<Partial<Record<Moment, number>>>;

/** A child is there for a part of its stage only. */
const CHILD_WAIT_MS = 10_000;

/** Kills at the moment. @returns what was hit, in words */
export async function strike(
  stack: ChaosStack,
  id: Promise<string>,
  { victim, moment, share }: Strike,
  usual: Durations,
): Promise<string> {
  if (moment !== 'start') await stack.reached(await id, moment);
  await delay(share * (usual[moment] ?? 0));
  const before = moment === 'start' ? undefined : await stack.glance(await id);
  const during = before?.progress?.stage ?? moment;
  if (before !== undefined && before.status !== 'running') return `${victim}: the run had ended`;
  if (victim !== 'child') {
    const pid = await stack.pid(victim);
    stack.kill(pid);
    return `${victim} (${pid}) in ${during}`;
  }
  const child = await childOf(stack);
  if (child === undefined) return 'child: none was there';
  stack.kill(child);
  return `child (${child}) in ${during}`;
}

/** A process that a worker started for heavy work. */
async function childOf(stack: ChaosStack): Promise<number | undefined> {
  for (const until = Date.now() + CHILD_WAIT_MS; Date.now() < until; await delay(20)) {
    for (const name of ['worker-gpu', 'worker-cpu']) {
      const worker = stack.services().find((service) => service.name === name)?.pid;
      const child = worker === undefined ? undefined : children(worker)[0];
      if (child !== undefined) return child;
    }
  }
  return undefined;
}

export function children(pid: number): number[] {
  const identity = identify(pid);
  if (identity === undefined) return [];
  return familyOf(identity)
    .map((member) => member.pid)
    .filter((member) => readProcess(member)?.parent === pid);
}
