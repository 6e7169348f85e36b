import { liveSupervisor } from './launch.ts';
import { stackLayout } from './layout.ts';
import { familyOf, isAlive, memoryOf } from './processes.ts';
import { readStackState } from './state.ts';
import type { ServiceState, ServiceStatus } from './state.ts';

/** One service as `saip status` shows it. */
export interface ServiceReport {
  readonly name: string;
  readonly state: ServiceState;
  readonly pid: number | undefined;
  readonly port: number | undefined;
  readonly url: string | undefined;
  /** Memory of the process and all it started; pages that several share are counted once. */
  readonly memoryBytes: number | undefined;
  readonly uptimeSeconds: number | undefined;
  readonly restarts: number;
  readonly detail: string | undefined;
}

export interface StackReport {
  readonly running: boolean;
  readonly services: readonly ServiceReport[];
  readonly urls: Readonly<Record<string, string>>;
}

/** What runs now, checked against the process table rather than believed. */
export function reportStack(home: string): StackReport {
  const state = readStackState(stackLayout(home).stateFile);
  const running = liveSupervisor(state) !== undefined;
  const services = (state?.services ?? []).map(reportService);
  return { running, services, urls: running ? (state?.urls ?? {}) : {} };
}

function reportService(service: ServiceStatus): ServiceReport {
  const { name, pid, startTime, port, url, restarts, detail } = service;
  const identity = pid !== undefined && startTime !== undefined ? { pid, startTime } : undefined;
  const alive = identity !== undefined && isAlive(identity);
  const gone: ServiceState = service.state === 'healthy' || service.state === 'unhealthy' ? 'stopped' : service.state;
  return {
    name,
    state: alive ? service.state : gone,
    pid: alive ? pid : undefined,
    port,
    url,
    memoryBytes: alive ? sum(familyOf(identity).map(({ pid: member }) => memoryOf(member))) : undefined,
    uptimeSeconds: alive && service.startedAt ? (Date.now() - Date.parse(service.startedAt)) / 1000 : undefined,
    restarts,
    detail,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
