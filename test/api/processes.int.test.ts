import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import getPort from 'get-port';
import { z } from 'zod';
import { CHECKOUT } from '../../infra/local/toolchain.ts';
import { testHome } from '../support/stack.ts';
import { localClient } from './support/harness.ts';
import { until } from './support/until.ts';

const PROCESSES = 2;
let command: ChildProcess;
let url: string;
/** Processes that have said so far that they answer. A process is there long before it listens. */
let answering = 0;

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
  readonly cookie: string | undefined;
}

/** Each on a connection of its own, so that the processes answer in turn. */
function call(method: string, path: string, { headers = {}, json }: { headers?: object; json?: unknown } = {}) {
  const agent = new Agent({ keepAlive: false });
  return new Promise<Answer>((resolve, reject) => {
    const type = json === undefined ? {} : { 'content-type': 'application/json' };
    const outgoing = httpRequest(`${url}${path}`, { method, agent, headers: { ...type, ...headers } }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => {
        resolve({ status: answer.statusCode, text, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(json === undefined ? undefined : JSON.stringify(json));
  });
}

async function bearer(role: 'viewer' | 'trainer'): Promise<string> {
  const { clientId, clientSecret } = localClient(role);
  const json = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const { text } = await call('POST', '/v1/auth/token', { json });
  return z.object({ access_token: z.string() }).parse(JSON.parse(text)).access_token;
}

function childrenOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  } catch {
    return [];
  }
}

/** The command starts the API, which starts its processes. */
const members = (): string[] => childrenOf(String(command.pid)).flatMap(childrenOf);

const untilOk = (path: string) =>
  until(`${path} is ok`, async () => (await call('GET', path).catch(() => undefined))?.status === 200);

const untilAnswering = (count: number) => until('all of them answer', () => answering >= count);

beforeAll(async () => {
  const port = await getPort();
  url = `http://127.0.0.1:${String(port)}`;
  const args = ['serve', '--processes', String(PROCESSES), '--port', String(port)];
  const serving = spawn(process.execPath, [join(CHECKOUT, 'cli', 'main.ts'), ...args], {
    // The rest it reads from the stack's own settings.
    env: { SAIP_HOME: testHome(), SAIP_API_URL: url, SAIP_LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  command = serving;
  createInterface({ input: serving.stdout }).on('line', (line) => {
    if (line.includes('"the API answers"')) answering += 1;
  });
  // Three starts one after the other: on a busy machine they take their time.
  await untilAnswering(PROCESSES).catch(() => untilAnswering(PROCESSES));
  await untilOk('/health/ready');
}, 150_000);

afterAll(() => {
  command.kill('SIGTERM');
});

describe('saip serve --processes', () => {
  it('count together', async () => {
    const authorization = `Bearer ${await bearer('viewer')}`;
    for (let asked = 0; asked < 10; asked += 1) await call('GET', '/v1/nothing-here');
    const { status, text } = await call('GET', '/metrics', { headers: { authorization } });
    expect(status).toBe(200);
    const unmatched = /^http_server_request_duration_seconds_count\{[^}]*"unmatched"[^}]*\} (\d+)$/m.exec(text)?.[1];
    expect(Number(unmatched)).toBe(10);
  });

  it('know the sessions of each other', async () => {
    const { cookie = '' } = await call('POST', '/v1/auth/session', { json: { token: await bearer('trainer') } });
    const headers = { cookie, origin: url };
    const known = async () => (await call('POST', '/v1/codec/decode', { headers, json: { payloads: [] } })).status;
    // The others hear of it a moment later.
    await until('all of them know', async () => {
      const statuses = [await known(), await known(), await known(), await known()];
      return statuses.every((status) => status === 200);
    });
  });

  it('replace one that is killed, while the others answer', async () => {
    const [victim = ''] = members();
    process.kill(Number(victim), 'SIGKILL');
    await until('it is gone', () => !members().includes(victim));
    await untilOk('/health/live');
    expect(answering).toBe(PROCESSES);
    await untilAnswering(PROCESSES + 1);
    expect(members()).toHaveLength(PROCESSES);
    await untilOk('/health/ready');
  });

  it('stop in order, all of them', async () => {
    const before = members();
    command.kill('SIGTERM');
    expect(await once(command, 'exit')).toEqual([0, null]);
    const alive = before.filter((pid) => {
      try {
        return process.kill(Number(pid), 0);
      } catch {
        return false;
      }
    });
    expect(alive).toEqual([]);
  });
});
