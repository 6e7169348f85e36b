import { verify } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BaoClient, type BaoClientOptions } from '../../lib/clients/index.ts';
import { PrivateOpenBao } from '../support/private-openbao.ts';

const HOUR_MS = 3_600_000;
const NO_RETRY = { retries: 0 };

let server: PrivateOpenBao;
let clients: BaoClient[];

beforeAll(async () => {
  server = await PrivateOpenBao.start();
});
afterAll(async () => {
  await server.remove();
});
beforeEach(() => {
  clients = [];
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
});

function open(options: Partial<BaoClientOptions> = {}): BaoClient {
  const client = new BaoClient({ address: server.address, loginFile: server.loginFile, ...options });
  clients.push(client);
  return client;
}

describe('BaoClient', () => {
  it('reads secrets', async () => {
    expect(await open().kvRead('app')).toEqual({ username: 'app', password: 'hunter2' });
  });

  it.each([
    ['asn1', 'der'],
    ['jws', 'ieee-p1363'],
  ] as const)('signs with the encoding %s, by any version of a key', async (marshaling, dsaEncoding) => {
    const client = open();
    const { latest } = await client.transitPublicKeys('models');
    await server.root('POST', 'transit/keys/models/rotate', {});
    const { keys, latest: newest } = await client.transitPublicKeys('models');
    expect(newest).toBe(latest + 1);
    expect(keys.map(({ version }) => version)).toEqual(Array.from({ length: newest }, (_, index) => index + 1));
    const message = Buffer.from('message');
    for (const keyVersion of [undefined, latest]) {
      const signed = await client.transitSign('models', message, { marshaling, keyVersion });
      expect(signed.keyVersion).toBe(keyVersion ?? newest);
      const pem = keys.find(({ version }) => version === signed.keyVersion)?.pem ?? '';
      expect(verify('sha256', message, { key: pem, dsaEncoding }, signed.signature)).toBe(true);
    }
  });

  it('makes data keys and unwraps them', async () => {
    const client = open();
    const { plaintext, wrapped } = await client.datakey('payloads');
    expect(plaintext).toHaveLength(32);
    expect(await client.decryptDatakey('payloads', wrapped)).toEqual(plaintext);
    await expect(client.decryptDatakey('payloads', `${wrapped.slice(0, -8)}AAAAAAA=`)).rejects.toMatchObject({
      code: 'SECRET_REJECTED',
    });
  });

  it('tells forbidden and missing things apart, and names them', async () => {
    const client = open();
    await expect(client.kvRead('other/app')).rejects.toMatchObject({
      code: 'SECRET_FORBIDDEN',
      message: expect.stringContaining('secret/other/app'),
    });
    await expect(client.transitSign('forbidden', Buffer.from(''), { marshaling: 'jws' })).rejects.toMatchObject({
      code: 'SECRET_FORBIDDEN',
    });
    await expect(client.kvRead('missing')).rejects.toMatchObject({ code: 'SECRET_REJECTED' });
    expect(await server.logins()).toHaveLength(1);
  });

  it.each(['../sys/mounts', 'a//b', 'a?list=true', 'a#b', 'a%2e', ''])('asks for no path like %j', async (path) => {
    await expect(open().kvRead(path)).rejects.toMatchObject({ code: 'SECRET_REJECTED' });
  });

  it('logs in once for many requests at the same time', async () => {
    const client = open();
    await Promise.all(Array.from({ length: 20 }, () => client.kvRead('app')));
    expect(await server.logins()).toHaveLength(1);
  });

  it('renews its token before it expires, and logs in again after', async () => {
    let clock = Date.now();
    const client = open({ now: () => clock });
    await client.kvRead('app');
    const [first] = await server.logins();
    clock += 0.7 * HOUR_MS;
    await client.kvRead('app');
    expect(await server.logins()).toEqual([first]);
    clock += 0.5 * HOUR_MS;
    await client.kvRead('app');
    expect(await server.logins()).toEqual([first]);
    clock += 2 * HOUR_MS;
    await client.kvRead('app');
    expect(await server.logins()).toHaveLength(2);
    for (const accessor of await server.logins()) await server.revoke(accessor);
  });

  it('logs in again when its token was revoked', async () => {
    const client = open();
    await client.kvRead('app');
    const [former = ''] = await server.logins();
    await server.revoke(former);
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.kvRead('app')));
    expect(answers).toHaveLength(5);
    const logins = await server.logins();
    expect(logins).toHaveLength(1);
    expect(logins).not.toContain(former);
  });

  it('waits while the server is sealed', async () => {
    const client = open();
    await client.kvRead('app');
    await server.seal();
    const reading = client.kvRead('app');
    await expect(open({ retry: NO_RETRY }).kvRead('app')).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    await server.unseal();
    expect((await reading)['username']).toBe('app');
  });

  it('finds its way back to a server that lost everything', async () => {
    const client = open();
    await client.kvRead('app');
    await server.stopServer();
    const failing = open({ retry: { retries: 2, minTimeout: 1 } });
    await expect(failing.kvRead('app')).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    await server.startServer();
    expect((await client.kvRead('app'))['username']).toBe('app');
  });

  it('revokes its token when it is closed', async () => {
    const client = open();
    await client.kvRead('app');
    expect(await server.logins()).toHaveLength(1);
    await client.close();
    expect(await server.logins()).toHaveLength(0);
  });

  it('shows no token and no secret in its errors', async () => {
    const client = open({ retry: NO_RETRY });
    await client.kvRead('app');
    const errors = [await client.kvRead('other').catch((error: unknown) => error)];
    await server.stopServer();
    errors.push(await client.kvRead('app').catch((error: unknown) => error));
    await server.startServer();
    for (const error of errors) {
      expect(error).toHaveProperty('code', expect.stringMatching(/^SECRET_/));
      expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/s\.[A-Za-z0-9]{20,}|x-vault-token/i);
    }
  });
});

describe('the login file', () => {
  const withFile = (content: string, mode = 0o600) => {
    const loginFile = `${server.loginFile}.test`;
    writeFileSync(loginFile, content);
    chmodSync(loginFile, mode);
    return open({ loginFile });
  };

  it.each([
    ['is missing', () => open({ loginFile: `${server.loginFile}.none` })],
    ['can be read by others', () => withFile('{"roleId":"a","secretId":"topsecret"}', 0o640)],
    ['is no JSON', () => withFile('topsecret')],
    ['lacks the secret id', () => withFile('{"roleId":"topsecret"}')],
    ['is refused by the server', () => withFile('{"roleId":"a","secretId":"topsecret"}')],
  ])('stops the client when it %s', async (_what, client) => {
    const error: unknown = await client()
      .kvRead('app')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SECRET_LOGIN_INVALID' });
    expect(inspect(error, { depth: 20 })).not.toContain('topsecret');
  });
});
