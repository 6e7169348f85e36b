/** @jest-environment ./test/support/ort-environment.js */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { decodeProtectedHeader } from 'jose';
import { TOKEN_AUDIENCE } from '../../api/compose/index.ts';
import { Problem } from '../../contracts/api.ts';
import type { BaoClient } from '../../lib/clients/index.ts';
import { stackBao } from '../support/stack-bao.ts';
import { HOSTILE_BODIES } from './support/hostile-bodies.ts';
import { HOSTILE_MESSAGES } from './support/hostile-messages.ts';
import { hostileTokens, type HostileToken } from './support/hostile-tokens.ts';
import { startApi, type TestApi } from './support/harness.ts';
import { linearModel } from './support/onnx-models.ts';
import { openRegistry, type TestRegistry } from './support/registry.ts';
import { until } from './support/until.ts';

let api: TestApi;
let registry: TestRegistry;
let bao: BaoClient;
let publicKey: string;
let kid: string | undefined;
const model = `hostile-${randomUUID().slice(0, 8)}`;
const good = { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] };

beforeAll(async () => {
  registry = await openRegistry();
  api = await startApi();
  bao = stackBao('api');
  publicKey = (await bao.transitPublicKeys('tokens')).keys.at(-1)?.pem ?? '';
  kid = decodeProtectedHeader(await api.token('predictor')).kid;
  const { version } = await registry.register(model, linearModel());
  await registry.alias(model, 'champion', version);
  await until('the model answers', async () => (await infer()).status === 200);
});

afterAll(async () => {
  await api.stop();
  await registry.close();
  await bao.close();
});

const infer = async () => api.call('POST', `/v2/models/${model}/infer`, { role: 'predictor', json: good });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const hs256 = (input: string, secret: string): string => createHmac('sha256', secret).update(input).digest('base64url');

/** Signs what is asked for with the platform's own key, which nobody outside can. */
async function sign({ header = {}, claims = {}, times = {} }: HostileToken): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    ...{ iss: api.url, aud: TOKEN_AUDIENCE, sub: 'mallory', client_id: 'x', jti: randomUUID(), tenant: 'default' },
    ...{ roles: ['predictor'], iat: now, exp: now + 60 },
    ...Object.fromEntries(Object.entries(times).map(([name, seconds]) => [name, now + seconds])),
    ...claims,
  };
  const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid, ...header })}.${encode(payload)}`;
  const { signature } = await bao.transitSign('tokens', Buffer.from(input), { marshaling: 'jws' });
  return `${input}.${signature.toString('base64url')}`;
}

/** Every refusal is a problem that tells nothing of the inside. */
async function refusalOf(answer: Response): Promise<{ status: number; code: string }> {
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(text).not.toMatch(/node_modules|\.ts:\d|postgres/i);
  expect(text).not.toContain(process.cwd());
  const { status, code } = Problem.parse(JSON.parse(text));
  return { status, code };
}

describe('a token', () => {
  it('that the forger of these tests signs is good where nothing is wrong with it', async () => {
    const token = await sign({ what: 'nothing', status: 401, code: 'TOKEN_INVALID' });
    expect((await api.call('POST', `/v2/models/${model}/infer`, { token, json: good })).status).toBe(200);
  });

  it.each(hostileTokens(hs256).map((one) => [one.what, one] as const))('with %s is refused', async (_, hostile) => {
    const token = await sign(hostile);
    const authorization = hostile.spoil ? hostile.spoil(token, publicKey) : `Bearer ${token}`;
    const headers = { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) };
    const body = JSON.stringify(good);
    const answer = await fetch(`${api.url}/v2/models/${model}/infer`, { method: 'POST', headers, body });
    expect(answer.headers.get('www-authenticate')).toEqual(hostile.status === 401 ? expect.any(String) : null);
    expect(await refusalOf(answer)).toEqual({ status: hostile.status, code: hostile.code });
  });
});

describe('a request', () => {
  it.each(HOSTILE_BODIES.map((one) => [one.what, one.status, one] as const))(
    'with %s gets %s',
    async (_, status, one) => {
      const { path = '/v2/models/{model}/infer', method = 'POST', headers, code } = one;
      const made = typeof one.body === 'function' ? one.body() : one.body;
      const plain = typeof made === 'string' || Buffer.isBuffer(made);
      const answer = await fetch(`${api.url}${path.replace('{model}', model)}`, {
        method,
        headers: {
          authorization: `Bearer ${await api.token('predictor')}`,
          ...(plain ? headers : { 'content-type': 'application/json', ...headers }),
        },
        body: plain ? new Uint8Array(Buffer.from(made)) : JSON.stringify(made),
      });
      if (code === undefined) expect(answer.status).toBe(status);
      else expect(await refusalOf(answer)).toEqual({ status, code });
    },
  );

  it('of all of these has changed no prototype, and the model answers', async () => {
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect((await infer()).status).toBe(200);
  });
});

/** Sends bytes and gives the status of the first answer; 0 where the connection ends without one. */
async function exchange(message: string): Promise<{ status: number; answers: number; problem: unknown }> {
  const { hostname, port } = new URL(api.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  socket
    .on('data', (chunk: Buffer) => chunks.push(chunk))
    .on('error', () => resolve())
    .on('close', () => resolve());
  socket.on('data', () => setTimeout(() => socket.destroy(), 100).unref());
  socket.write(message, 'latin1');
  // What waits for more bytes than it was promised gets no more of them.
  const cut = setTimeout(() => socket.destroy(), 1_000);
  await ended;
  clearTimeout(cut);
  const text = Buffer.concat(chunks).toString('latin1');
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
  const told = /\r\nContent-Type: application\/problem\+json.*?\r\n\r\n(.*)$/is.exec(text)?.[1];
  return { status: statuses[0] ?? 0, answers: statuses.length, problem: told && (JSON.parse(told) as unknown) };
}

describe('a message', () => {
  it.each(HOSTILE_MESSAGES.map((one) => [one.what, one.status, one] as const))(
    'with %s gets %s',
    async (_, status, one) => {
      const at = {
        host: new URL(api.url).host,
        path: `/v2/models/${model}/infer`,
        token: await api.token('predictor'),
      };
      const { lines = [], body = '' } = one;
      const head = [`POST ${at.path} HTTP/1.1`, `Host: ${at.host}`, `Authorization: Bearer ${at.token}`, ...lines];
      const answer = await exchange(one.whole?.(at) ?? `${head.join('\r\n')}\r\n\r\n${body}`);
      expect(answer.status).toBe(status);
      // 417 is Node's own.
      if (status >= 400 && status !== 417) expect(Problem.parse(answer.problem)).toMatchObject({ status });
      // Nothing that was smuggled in is answered as a request of its own.
      expect(answer.answers).toBeLessThanOrEqual(1);
    },
  );
});
