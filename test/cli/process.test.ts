import { describe, expect, it } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { run } from '../../cli/run.ts';
import { loopbackServer, sendJson, sendProblem } from './support/server.ts';
import { saip } from './support/process.ts';
import type { Finished } from './support/process.ts';
import { recordedIo } from './support/terminal.ts';

const TRACE = join(import.meta.dirname, 'support/trace-modules.mjs');
/** Modules that cost more to load than the help takes to print. */
const HEAVY = /node_modules\/(?:zod|pg)\/|^(?!.*node_modules).*\/(?:lib|infra|actions)\//;
const HOME = mkdtempSync(join(tmpdir(), 'saip-cli-'));

/** Runs a command line in this process, which is many times faster than starting one. */
async function here(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const before = process.exitCode;
  const io = recordedIo({ env: { SAIP_HOME: HOME, ...env } });
  try {
    process.exitCode = undefined;
    await run(io, args, '0.0.0');
    return { code: Number(process.exitCode ?? 0), stdout: io.written(), stderr: io.errors() };
  } finally {
    process.exitCode = before;
  }
}

describe('saip', () => {
  it('shows its help without loading what only a command needs', async () => {
    const { code, stdout, stderr } = await saip(['--help'], { nodeArgs: ['--import', TRACE] });
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: saip');
    const loaded = stderr.split('\n').filter((line) => line.startsWith('loaded '));
    expect(loaded.length).toBeGreaterThan(5);
    expect(loaded.filter((line) => HEAVY.test(line))).toEqual([]);
  });

  it.each([
    [[], 'a command is missing'],
    [['workflows'], 'a command is missing'],
    [['trian'], "unknown command 'trian' (Did you mean train?)"],
    [['train'], "missing required argument 'model'"],
    [['train', 'mnist-cnn', '--seed', '-1'], 'a whole number of at least 0 is needed'],
    [['predict', 'mnist-cnn'], 'give one of --record JSON'],
    [['token', '--role', 'emperor'], 'there is no role emperor'],
    [['models', 'history', 'm', '--at', 'yesterday-ish'], '--at yesterday-ish is not a time'],
  ])('answers %j with exit code 2 and one line', async (args, message) => {
    const { code, stderr } = await here(args, { SAIP_API_URL: 'http://127.0.0.1:1', SAIP_TOKEN: 't' });
    expect(code).toBe(2);
    const errors = stderr.split('\n').filter((line) => line.startsWith('error: '));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(message);
  });

  it('ends with 6 and a hint where nothing answers', async () => {
    const { code, stdout, stderr } = await saip(['models', 'list'], {
      env: { SAIP_API_URL: 'http://127.0.0.1:1', SAIP_TOKEN: 't' },
    });
    expect(code).toBe(6);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: no answer from http:\/\/127\.0\.0\.1:1.*\nhint: Start the stack with saip up/);
  });

  it.each([
    [400, 'REQUEST_INVALID', 2],
    [401, 'TOKEN_INVALID', 3],
    [403, 'FORBIDDEN', 3],
    [404, 'MODEL_UNKNOWN', 4],
    [409, 'CONFLICT', 1],
    [503, 'UNAVAILABLE', 1],
  ])('turns problem details of status %i into exit code %s %i', async (status, problem, expected) => {
    await using server = await loopbackServer((_request, response) =>
      sendProblem(response, status, problem, 'Because.'),
    );
    const env = { SAIP_API_URL: server.url, SAIP_TOKEN: 't' };
    const human = await here(['models', 'show', 'm'], env);
    expect(human).toEqual({
      code: expected,
      stdout: '',
      stderr: `error: Because. (trace ${'a'.repeat(32)})\nhint: A hint.\n`,
    });
    const json = await here(['models', 'show', 'm', '--json'], env);
    expect(json.stdout).toBe('');
    expect(JSON.parse(json.stderr)).toEqual({
      error: { message: 'Because.', hint: 'A hint.', code: problem, traceId: 'a'.repeat(32), exitCode: expected },
    });
  });

  it('prints JSON and nothing else with --json, and no colour into a pipe', async () => {
    const list = {
      models: [
        {
          name: 'm',
          versions: 1,
          latestVersion: '1',
          aliases: { champion: '1' },
          createdAt: '2026-01-31T03:00:00Z',
          updatedAt: '2026-01-31T03:00:00Z',
        },
      ],
    };
    await using server = await loopbackServer((_request, response) => sendJson(response, list));
    const env = { SAIP_API_URL: server.url, SAIP_TOKEN: 't' };
    const json = await saip(['models', 'list', '--json'], { env });
    expect(JSON.parse(json.stdout)).toEqual(list);
    expect(json.stderr).toBe('');
    const human = await saip(['models', 'list'], { env });
    expect(human.stdout).toBe(
      'MODEL  VERSIONS  LATEST  ALIASES     UPDATED\nm      1         1       champion=1  2026-01-31 03:00:00Z\n',
    );
    expect(stripVTControlCharacters(human.stdout)).toBe(human.stdout);
    const forced = await saip(['models', 'list'], { env: { ...env, FORCE_COLOR: '1' } });
    expect(stripVTControlCharacters(forced.stdout)).not.toBe(forced.stdout);
    const plain = await saip(['models', 'list'], { env: { ...env, FORCE_COLOR: '1', NO_COLOR: '1' } });
    expect(plain.stdout).toBe(human.stdout);
  });

  it('sends the token, the idempotency key and the request', async () => {
    const bodies: string[] = [];
    await using server = await loopbackServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks).toString());
        sendJson(response, { workflowId: 'w', runId: 'r', links: { self: '/s', events: '/e' } }, 202);
      });
    });
    const env = { SAIP_API_URL: server.url, SAIP_TOKEN: 'secret-token' };
    const { code, stdout } = await here(
      ['train', 'mnist-mlp', '--epochs', '2', '--no-rollout', '--idempotency-key', 'k1'],
      env,
    );
    expect(code).toBe(0);
    expect(stdout).toBe('started  w\nfollow   saip workflows follow w\n');
    expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/v1/workflows/train-register-deploy' });
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer secret-token',
      'idempotency-key': 'k1',
    });
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      { model: 'mnist-mlp', training: { epochs: 2 }, rollout: false },
    ]);
  });
});
