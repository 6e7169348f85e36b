import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ReleaseVerification } from '../../contracts/release.ts';
import { fingerprint } from '../../lib/release/index.ts';
import { AUDIENCE, OidcIssuer } from '../support/oidc-issuer.ts';
import { MadeRelease } from '../release/support/made-release.ts';
import { saip, type Finished } from './support/process.ts';
import { loopbackServer, sendJson, sendProblem } from './support/server.ts';

const home = mkdtempSync(join(tmpdir(), 'saip-cli-'));
let made: MadeRelease;
let stranger: MadeRelease;
let keys: string;
let foreign: string;

beforeAll(async () => {
  made = await (await MadeRelease.begin()).write();
  stranger = await (await MadeRelease.begin()).write();
  keys = join(home, 'keys.pem');
  foreign = join(home, 'foreign.pem');
  await writeFile(keys, `# of the platform\n${(await made.publicKeys()).join('')}`);
  await writeFile(foreign, (await stranger.publicKeys()).join(''));
});

afterAll(async () => {
  await made.remove();
  await stranger.remove();
  rmSync(home, { recursive: true });
});

/** No server, no stack, no configuration: a folder and public keys. */
const verify = (folder: string, ...args: string[]): Promise<Finished> => saip(['release', 'verify', folder, ...args]);

describe('saip release verify', () => {
  it('verifies with a file of keys, in words and in JSON', async () => {
    const human = await verify(made.folder, '--keys', keys);
    expect(human).toMatchObject({ code: 0, stderr: '' });
    expect(human.stdout).toContain('✓ mnist-softmax 3 is what was released');
    expect(human.stdout).toContain('approved by bob');
    const json = await verify(made.folder, '--keys', foreign, '--keys', keys, '--json');
    expect(ReleaseVerification.parse(JSON.parse(json.stdout))).toMatchObject({ model: 'mnist-softmax', version: '3' });
  });

  it('verifies with a fingerprint that came another way', async () => {
    const [pem = ''] = await made.publicKeys();
    expect(await verify(made.folder, '--fingerprint', fingerprint(pem))).toMatchObject({ code: 0 });
    const other = await verify(made.folder, '--fingerprint', 'f'.repeat(64));
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toContain('a key that is not trusted');
  });

  it.each<[string, () => readonly string[], number, string]>([
    ['a foreign key', () => [made.folder, '--keys', foreign, '--json'], 1, 'RELEASE_KEY_UNTRUSTED'],
    ['a folder of a stranger', () => [stranger.folder, '--keys', keys, '--json'], 1, 'RELEASE_KEY_UNTRUSTED'],
    ['no folder', () => [join(home, 'none'), '--keys', keys, '--json'], 4, 'RELEASE_UNKNOWN'],
  ])('refuses %s', async (_what, args, exitCode, code) => {
    const answer = await saip(['release', 'verify', ...args()]);
    expect(answer).toMatchObject({ code: exitCode, stdout: '' });
    expect(JSON.parse(answer.stderr)).toMatchObject({ error: { code, exitCode } });
  });

  it('refuses one changed byte, and names the file', async () => {
    const tampered = await (await MadeRelease.begin()).write();
    try {
      const own = join(home, 'own.pem');
      await writeFile(own, (await tampered.publicKeys()).join(''));
      const file = join(tampered.folder, 'model/model.onnx');
      await chmod(file, 0o600);
      await writeFile(file, (await readFile(file, 'utf8')).replace('g', 'G'));
      const changed = await verify(tampered.folder, '--keys', own, '--json');
      expect(JSON.parse(changed.stderr)).toMatchObject({
        error: { code: 'RELEASE_DIGEST_MISMATCH', message: expect.stringContaining('model/model.onnx'), exitCode: 1 },
      });
      await rm(join(tampered.folder, 'evidence/lineage.json'));
      const missing = await verify(tampered.folder, '--keys', own, '--json');
      expect(JSON.parse(missing.stderr)).toMatchObject({ error: { code: 'RELEASE_EVIDENCE_MISSING' } });
    } finally {
      await tampered.remove();
    }
  });

  it('trusts nobody by itself', async () => {
    const none = await verify(made.folder);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('name the keys that you trust');
    const empty = join(home, 'empty.pem');
    await writeFile(empty, '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n');
    expect(await verify(made.folder, '--keys', empty)).toMatchObject({ code: 2 });
    expect(await verify(made.folder, '--fingerprint', 'abc')).toMatchObject({ code: 2 });
  });
});

describe('saip login --github-oidc', () => {
  let issuer: OidcIssuer;
  beforeAll(async () => {
    issuer = await OidcIssuer.start();
  });
  afterAll(() => issuer.stop());

  const job = () => ({
    SAIP_HOME: join(home, 'job'),
    ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.jobToken,
  });

  it('exchanges the token of the job, and uses what it got', async () => {
    const bodies: URLSearchParams[] = [];
    await using api = await loopbackServer((request, response) => {
      if (request.url === '/v1/auth/token') {
        request.on('data', (chunk: Buffer) => bodies.push(new URLSearchParams(chunk.toString())));
        sendJson(response, { access_token: 'short-lived', token_type: 'Bearer', expires_in: 900, scope: 'releaser' });
      } else if (request.headers.authorization !== 'Bearer short-lived') {
        sendProblem(response, 401, 'UNAUTHENTICATED', 'No.');
      } else if (request.url === '/v1/auth/session') {
        const expiresAt = '2100-01-01T00:00:00Z';
        sendJson(response, { subject: 'oidc:1', roles: ['releaser'], tenant: 'default', expiresAt });
      } else {
        sendJson(response, { releases: [] });
      }
    });
    const env = { ...job(), SAIP_API_URL: api.url };
    const login = await saip(['login', '--github-oidc', '--json'], { env });
    expect(login).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(login.stdout)).toMatchObject({ subject: 'oidc:1', roles: ['releaser'] });
    expect(Object.fromEntries(bodies[0] ?? [])).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    });
    const [, claims = ''] = (bodies[0]?.get('subject_token') ?? '').split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ aud: AUDIENCE });
    expect(await saip(['release', 'list'], { env })).toMatchObject({ code: 0 });
  });

  it.each<[string, NodeJS.ProcessEnv]>([
    ['outside of a job', { ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' }],
    ['in a job that may not have one', { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'other' }],
  ])('ends with 3 %s', async (_what, changes) => {
    const env = { ...job(), SAIP_API_URL: 'http://127.0.0.1:1', ...changes };
    expect(await saip(['login', '--github-oidc'], { env })).toMatchObject({ code: 3, stdout: '' });
  });

  it('takes no second identity', async () => {
    const env = { ...job(), SAIP_API_URL: 'http://127.0.0.1:1' };
    expect(await saip(['login', '--github-oidc', '--role', 'admin'], { env })).toMatchObject({ code: 2 });
  });
});

it('saip release download leaves nothing of an archive that is not whole', async () => {
  await using api = await loopbackServer((_request, response) => response.writeHead(200).end('no archive'));
  const folder = join(home, 'download');
  const env = { SAIP_HOME: home, SAIP_API_URL: api.url, SAIP_TOKEN: 't' };
  const answer = await saip(['release', 'download', 'm', '1', '--to', folder], { env });
  expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining('did not arrive whole') });
  await writeFile(folder, 'mine');
  expect(await saip(['release', 'download', 'm', '1', '--to', folder], { env })).toMatchObject({ code: 2 });
  expect(await readFile(folder, 'utf8')).toBe('mine');
});
