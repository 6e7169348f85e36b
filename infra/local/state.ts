import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import writeFileAtomic from 'write-file-atomic';

/**
 * `backing-off`: crashed, waiting to be started again. `degraded`: the same, after many crashes in a row.
 * `unhealthy`: runs, but its health check fails.
 */
export const ServiceState = z.enum([
  'pending',
  'starting',
  'healthy',
  'unhealthy',
  'backing-off',
  'degraded',
  'stopping',
  'stopped',
]);
export type ServiceState = z.infer<typeof ServiceState>;

const Identity = z.object({ pid: z.int(), startTime: z.int() });

export const ServiceStatus = z.object({
  name: z.string(),
  state: ServiceState,
  pid: z.int().optional(),
  /** Clock ticks since boot, to tell the process from a later one with the same pid. */
  startTime: z.int().optional(),
  port: z.int().optional(),
  url: z.string().optional(),
  /** ISO 8601, UTC. */
  startedAt: z.string().optional(),
  /** Seconds from the start of the process to its first passed health check. */
  readySeconds: z.number().optional(),
  restarts: z.int(),
  /** Why it is not healthy. */
  detail: z.string().optional(),
});
export type ServiceStatus = z.infer<typeof ServiceStatus>;

/** `stack.json`: what the supervisor says about its stack; it outlives the stack, to keep id and ports. */
export const StackState = z.object({
  id: z.string(),
  startedAt: z.string().optional(),
  /** Absent when no supervisor runs. */
  supervisor: Identity.optional(),
  ports: z.record(z.string(), z.int()),
  services: z.array(ServiceStatus),
  urls: z.record(z.string(), z.string()),
});
export type StackState = z.infer<typeof StackState>;

/** @returns undefined when there never was a stack, or its file cannot be read as one */
export function readStackState(stateFile: string): StackState | undefined {
  try {
    return StackState.parse(JSON.parse(readFileSync(stateFile, 'utf8')));
  } catch {
    return undefined;
  }
}

export function writeStackState(stateFile: string, state: StackState): void {
  writeJson(stateFile, state, 0o644);
}

/** Atomic, so that a reader never sees half a file. */
export function writeJson(path: string, value: unknown, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomic.sync(path, `${JSON.stringify(value, undefined, 2)}\n`, { mode });
}
