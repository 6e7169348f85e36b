import type { Ports, PortName } from './ports.ts';
import type { StackLayout } from './layout.ts';
import type { EndOptions } from './processes.ts';
import type { Toolchain } from './toolchain.ts';

const DEFAULT_GRACE_MS = 15_000;

/** What a service is told about the stack it belongs to. */
export interface StackContext {
  readonly stackId: string;
  readonly layout: StackLayout;
  readonly toolchain: Toolchain;
  readonly ports: Ports;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the few variables that every service gets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The account to run under; only possible as root. */
  readonly account?: { readonly uid: number; readonly gid: number };
}

/** A server or worker of the stack, as data for the supervisor. */
export interface ServiceSpec {
  readonly name: string;
  /** Services that must be healthy before this one starts. */
  readonly dependsOn: readonly string[];
  /** The port shown to the user. */
  readonly port?: PortName;
  readonly url?: (ports: Ports) => string;
  /** Files and folders it needs; runs before every start, so it must be idempotent. */
  readonly prepare?: (context: StackContext) => Promise<void>;
  readonly command: (context: StackContext) => Command | Promise<Command>;
  /** Runs once the process is there, and again until it succeeds, before the first health check (unsealing, say). */
  readonly open?: (context: StackContext) => Promise<void>;
  /** Resolves when the service can do its work; throws with the reason when it cannot. */
  readonly probe: (context: StackContext) => Promise<void>;
  /** Runs after the first passed health check of a stack, before any dependent starts; must be idempotent. */
  readonly provision?: (context: StackContext) => Promise<void>;
  readonly startTimeoutMs: number;
  /** How it is asked to end. Default: SIGTERM, and 15 s before SIGKILL. */
  readonly stop?: Partial<EndOptions>;
}

export function stopOptions({ stop }: Pick<ServiceSpec, 'stop'>): EndOptions {
  return { graceMs: DEFAULT_GRACE_MS, ...stop };
}
