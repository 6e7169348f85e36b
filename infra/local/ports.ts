import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { identify, isAlive } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';

/** Preferred ports, all on 127.0.0.1. When one is taken, the next free one above it is used. */
export const PREFERRED_PORTS = {
  api: 8080,
  temporal: 7233,
  temporalHttp: 7533,
  temporalMetrics: 7833,
  temporalUi: 8233,
  mlflow: 5000,
  openbao: 8200,
  openbaoCluster: 8500,
  postgres: 5433,
} as const;
export type PortName = keyof typeof PREFERRED_PORTS;
export type Ports = Readonly<Record<PortName, number>>;

/** How far above the preferred port a free one is looked for. Stays below the range of ephemeral ports, where an
 * outgoing connection could take the port of a service that is being restarted. */
const SEARCH_RANGE = 200;

/** Not below `TMPDIR`: stacks with temporary folders of their own must see each other. */
const reservations = (): string => join('/tmp', `saip-ports-${userInfo().uid}`);

function holder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the port from other stacks of this user between choosing and binding it, for the life of this process.
 * @returns false when another live supervisor holds it
 */
function reserve(port: number): boolean {
  const directory = reservations();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, String(port));
  const current = holder(file);
  if (current !== undefined) {
    if (current.pid === process.pid || isAlive(current)) return current.pid === process.pid;
    rmSync(file, { force: true });
  }
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(identify(process.pid)));
  try {
    // link(2) fails when the name exists, so that of two stacks only one gets the port.
    linkSync(mine, file);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** True when nothing listens on the port of 127.0.0.1. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

async function choose(candidates: Iterable<number>): Promise<number | undefined> {
  for (const port of candidates) {
    if ((await isFree(port)) && reserve(port)) return port;
  }
  return undefined;
}

/**
 * Chooses a free port for each name: the one of the last run, else the preferred one, else the next free one.
 * @throws Error when the whole search range of a port is taken
 */
export async function choosePorts(previous: Readonly<Record<string, number>>): Promise<Ports> {
  const ports = {} as Record<PortName, number>;
  for (const [name, preferred] of Object.entries(PREFERRED_PORTS) as [PortName, number][]) {
    const last = previous[name];
    const range = Array.from({ length: SEARCH_RANGE }, (_, index) => preferred + index);
    const candidates = last === undefined ? range : [last, ...range];
    const port = await choose(candidates);
    if (port === undefined) {
      throw new Error(`no free port for ${name} between ${preferred} and ${preferred + SEARCH_RANGE}`);
    }
    ports[name] = port;
  }
  return ports;
}

export function releasePorts(ports: Ports): void {
  for (const port of Object.values(ports)) {
    const file = join(reservations(), String(port));
    if (holder(file)?.pid === process.pid) rmSync(file, { force: true });
  }
}
