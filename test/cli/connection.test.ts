import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../cli/client/connection.ts';
import { readLogin, removeLogin, writeLogin } from '../../cli/client/login-file.ts';
import { localTokens } from '../../cli/client/token-source.ts';
import { loopbackServer, sendJson, sendProblem } from './support/server.ts';
import type { LoopbackServer } from './support/server.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'saip-cli-'));
});
afterEach(() => rm(home, { recursive: true }));

const clients = {
  viewer: { clientId: 'viewer-id', clientSecret: 'viewer-secret' },
  trainer: { clientId: 'trainer-id', clientSecret: 'trainer-secret' },
};

/** Gives every client a token of 100 s that is named after it and its turn. */
function tokenServer(): Promise<LoopbackServer> {
  return loopbackServer((request, response, count) => {
    const basic = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString();
    const answer = {
      access_token: `${basic}#${String(count)}`,
      token_type: 'Bearer',
      expires_in: 100,
      scope: 'viewer',
    };
    sendJson(response, answer);
  });
}

async function writeStack(apiUrl: string): Promise<void> {
  await mkdir(join(home, 'secrets'), { recursive: true });
  await writeFile(join(home, 'stack.json'), JSON.stringify({ urls: { api: apiUrl } }));
  await writeFile(join(home, 'secrets', 'clients.json'), JSON.stringify(clients));
}

describe('localTokens', () => {
  it('keeps a token for each role and renews it before it ends', async () => {
    await using server = await tokenServer();
    let now = 0;
    const tokens = localTokens(server.url, clients, () => now);
    expect(await tokens.token('viewer')).toBe('viewer-id:viewer-secret#1');
    expect(await tokens.token('trainer')).toBe('trainer-id:trainer-secret#2');
    now = 69_000;
    expect(await tokens.token('viewer')).toBe('viewer-id:viewer-secret#1');
    now = 71_000;
    expect(await tokens.token('viewer')).toBe('viewer-id:viewer-secret#3');
  });

  it('refuses a role without a client, and reports refused credentials', async () => {
    await using server = await loopbackServer((_request, response) =>
      sendProblem(response, 401, 'CLIENT_CREDENTIALS_INVALID', 'unknown client'),
    );
    const tokens = localTokens(server.url, clients);
    await expect(tokens.token('approver')).rejects.toMatchObject({ exitCode: 3 });
    await expect(tokens.token('viewer')).rejects.toMatchObject({ exitCode: 3, message: 'unknown client' });
  });
});

describe('connect', () => {
  it('uses the local stack and its clients', async () => {
    await using server = await tokenServer();
    await writeStack(server.url);
    const { apiUrl, tokens } = await connect({ SAIP_HOME: home });
    expect(apiUrl).toBe(server.url);
    expect(await tokens.token('viewer')).toBe('viewer-id:viewer-secret#1');
  });

  it('prefers SAIP_TOKEN, then a login that is still good', async () => {
    await using server = await tokenServer();
    await writeStack(server.url);
    const env = { SAIP_HOME: home };
    await writeLogin(env, { apiUrl: server.url, token: 'login-token', expiresAt: 5000 });
    const given = await connect({ ...env, SAIP_TOKEN: 'given' });
    expect(await given.tokens.token('admin')).toBe('given');
    expect(await (await connect(env, () => 4999)).tokens.token('admin')).toBe('login-token');
    expect(await (await connect(env, () => 5000)).tokens.token('viewer')).toBe('viewer-id:viewer-secret#1');
  });

  it('never sends the secrets or the login of one server to another', async () => {
    await using local = await tokenServer();
    await using other = await tokenServer();
    await writeStack(local.url);
    const env = { SAIP_HOME: home, SAIP_API_URL: other.url };
    await writeLogin(env, { apiUrl: local.url, token: 'login-token', expiresAt: Date.now() + 60_000 });
    await expect(connect(env)).rejects.toMatchObject({ exitCode: 3, hint: expect.stringContaining('saip login') });
    expect(other.requests).toHaveLength(0);
  });

  it('says where no stack was ever started, and where an address is none', async () => {
    await expect(connect({ SAIP_HOME: home })).rejects.toMatchObject({ exitCode: 6 });
    await expect(connect({ SAIP_HOME: home, SAIP_API_URL: 'not a url' })).rejects.toMatchObject({ exitCode: 2 });
  });

  it('names a damaged file', async () => {
    await writeFile(join(home, 'stack.json'), '{');
    await expect(connect({ SAIP_HOME: home })).rejects.toMatchObject({
      message: expect.stringContaining('stack.json is damaged'),
    });
  });
});

describe('the login file', () => {
  it('can be read by its owner alone and is gone after logout', async () => {
    const env = { SAIP_HOME: home };
    await writeLogin(env, { apiUrl: 'http://127.0.0.1:1', token: 't', expiresAt: 1 });
    expect((await stat(join(home, 'cli', 'token.json'))).mode & 0o777).toBe(0o600);
    await removeLogin(env);
    expect(await readLogin(env)).toBeUndefined();
  });
});
