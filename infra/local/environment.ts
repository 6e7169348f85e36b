import { join } from 'node:path';
import { STACK_MARKER } from './processes.ts';
import type { StackContext } from './service.ts';

/** Processes of the platform that log in to OpenBao under a name of their own. */
export const PLATFORM_PROCESSES = [
  'api',
  'worker-orchestration',
  'worker-cpu',
  'worker-gpu',
  'worker-release',
  'worker-agents',
  'sequencer',
] as const;
export type PlatformProcess = (typeof PLATFORM_PROCESSES)[number];

/** Those that know which chat models there are. */
const CHAT_PROCESSES: readonly PlatformProcess[] = ['api', 'worker-agents'];

/** What services inherit from the shell of `saip up`: nothing that could be a secret of something else. */
const INHERITED =
  /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|OTEL_.*|NODE_EXTRA_CA_CERTS|NODE_COMPILE_CACHE|TF_.*|CUDA_.*|NVIDIA_.*|SAIP_(LOG_LEVEL|GPU_THREADS|GPU_REPLICAS|STEP_CACHE_DAYS|OIDC_[A-Z_]+|LLM_[A-Z]+|AUDIT_[A-Z_]+|API_PROCESSES|SERVING_[A-Z_]+))$/;

/** Environment of a supervised process; `added` wins over what is inherited. */
export function serviceEnvironment(
  context: StackContext,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([name, value]) => INHERITED.test(name) && value !== undefined);
  return { ...(Object.fromEntries(inherited) as Record<string, string>), ...added, [STACK_MARKER]: context.stackId };
}

const loopback = (port: number): string => `http://127.0.0.1:${port}`;

export const urls = {
  api: (ports: StackContext['ports']): string => loopback(ports.api),
  docs: (ports: StackContext['ports']): string => `${loopback(ports.api)}/docs`,
  temporalUi: (ports: StackContext['ports']): string => loopback(ports.temporalUi),
  mlflow: (ports: StackContext['ports']): string => loopback(ports.mlflow),
  openbao: (ports: StackContext['ports']): string => loopback(ports.openbao),
};

/** The configuration of one process of the platform, as `lib/config` reads it. It names files with secrets, but
 * holds none. */
export function platformEnvironment(context: StackContext, name: PlatformProcess): Record<string, string> {
  const { layout, ports } = context;
  return {
    SAIP_HOME: layout.home,
    SAIP_PROCESS: name,
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    TEMPORAL_NAMESPACE: 'default',
    SAIP_TEMPORAL_UI_URL: urls.temporalUi(ports),
    SAIP_MLFLOW_URL: urls.mlflow(ports),
    SAIP_BAO_ADDR: urls.openbao(ports),
    SAIP_BAO_LOGIN_FILE: join(layout.appRoles, `${name}.json`),
    SAIP_POSTGRES_HOST: '127.0.0.1',
    SAIP_POSTGRES_PORT: String(ports.postgres),
    SAIP_POSTGRES_DATABASE: 'saip',
    SAIP_API_HOST: '127.0.0.1',
    SAIP_API_PORT: String(ports.api),
    SAIP_API_URL: urls.api(ports),
    SAIP_ARTIFACTS: join(layout.data, 'artifacts'),
    ...(name === 'worker-release' && { SAIP_SYFT: context.toolchain.syft }),
    ...(CHAT_PROCESSES.includes(name) && { SAIP_LLM_FILE: context.toolchain.llmModel }),
  };
}

/** `NAME=value` lines for `node --env-file`, `set -a; . file` and the like. */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');
}
