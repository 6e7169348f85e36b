import { liveSupervisor } from '../launch.ts';
import type { StackLayout } from '../layout.ts';
import { findLeftovers } from '../leftovers.ts';
import { PREFERRED_PORTS, isFree } from '../ports.ts';
import { readStackState } from '../state.ts';
import type { ServiceStatus, StackState } from '../state.ts';
import type { Finding } from './finding.ts';

const TIMEOUT_MS = 3_000;

/** The running stack, or what stands in the way of starting one. */
export async function checkStack(layout: StackLayout): Promise<Finding[]> {
  const state = readStackState(layout.stateFile);
  if (state === undefined || liveSupervisor(state) === undefined) {
    return [...checkLeftovers(layout), ...(await checkPorts(state))];
  }
  return [...state.services.map(judgeService), ...(await checkVault(state))];
}

function judgeService({ name, state, detail, restarts }: ServiceStatus): Finding {
  const check = `service ${name}`;
  const again = restarts === 0 ? '' : `, started again ${restarts} times`;
  if (state === 'healthy') return { check, level: restarts === 0 ? 'ok' : 'warning', message: `healthy${again}` };
  const message = `${state}${again}${detail === undefined ? '' : `: ${detail}`}`;
  return { check, level: 'error', message, mend: `saip logs ${name}` };
}

function checkLeftovers(layout: StackLayout): Finding[] {
  const left = findLeftovers(layout);
  if (left.length === 0) return [{ check: 'stack', level: 'ok', message: 'not running' }];
  const pids = left.map(({ pid }) => pid).join(', ');
  return [
    {
      check: 'stack',
      level: 'error',
      message: `the supervisor is gone, but processes of its stack run: ${pids}`,
      mend: 'saip down',
    },
  ];
}

/** Ports taken by other programs are no error: the stack takes the next free ones. */
async function checkPorts(state: StackState | undefined): Promise<Finding[]> {
  const wanted = Object.entries({ ...PREFERRED_PORTS, ...state?.ports });
  const findings: Finding[] = [];
  for (const [name, port] of wanted) {
    if (await isFree(port)) continue;
    const message = `${port} (${name}) is taken by another program`;
    findings.push({ check: 'ports', level: 'warning', message, mend: 'none needed: saip up takes the next free one' });
  }
  return findings.length > 0 ? findings : [{ check: 'ports', level: 'ok', message: 'free' }];
}

async function checkVault({ ports }: StackState): Promise<Finding[]> {
  const check = 'vault';
  try {
    const url = `http://127.0.0.1:${ports.openbao}/v1/sys/seal-status`;
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { sealed } = (await response.json()) as { sealed: boolean };
    if (!sealed) return [{ check, level: 'ok', message: 'unsealed' }];
    return [{ check, level: 'error', message: 'sealed: no secret can be read', mend: 'saip down, then saip up' }];
  } catch {
    return [{ check, level: 'error', message: 'does not answer', mend: 'saip logs openbao' }];
  }
}
