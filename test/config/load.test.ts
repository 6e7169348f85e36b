import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '../../lib/config/index.ts';

let folder: string;
let home: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'saip-config-'));
  home = join(folder, 'state');
  mkdirSync(home);
});
afterEach(() => rmSync(folder, { recursive: true }));

function problemsOf(load: () => unknown): Record<string, string> {
  try {
    load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.code).toBe('CONFIG_INVALID');
    return Object.fromEntries(error.problems.map((problem) => [problem.setting, problem.message]));
  }
  return {};
}

describe('loadConfig', () => {
  it('needs nothing but the name of the process', () => {
    const config = loadConfig('test', { SAIP_HOME: home });
    expect(config).toMatchObject({
      process: 'test',
      home,
      artifacts: join(home, 'data', 'artifacts'),
      temporal: { address: '127.0.0.1:7233', namespace: 'default' },
      api: { host: '127.0.0.1', port: 8080, url: 'http://127.0.0.1:8080' },
    });
  });

  it('lets variables win over the file, and the file over the defaults', () => {
    writeFileSync(join(folder, 'saip.yaml'), 'logLevel: debug\napi:\n  port: 9001\n  host: 0.0.0.0\ngpu:\n');
    const config = loadConfig(undefined, {
      SAIP_HOME: home,
      SAIP_PROCESS: 'api',
      SAIP_BAO_LOGIN_FILE: '/run/login.json',
      SAIP_API_PORT: '9002',
      SAIP_API_URL: 'https://saip.example/',
      SAIP_LOG_LEVEL: '',
    });
    expect(config.process).toBe('api');
    expect(config.logLevel).toBe('debug');
    expect(config.api).toEqual({
      ...{ host: '0.0.0.0', port: 9002, url: 'https://saip.example' },
      ...{ metricsOpen: false, processes: 1, uploadMib: 1024 },
    });
  });

  it('reads the file that SAIP_CONFIG names, which may move the state directory', () => {
    const path = join(folder, 'other.yaml');
    writeFileSync(path, `home: ${home}\npostgres: { port: 5999 }\n`);
    const config = loadConfig('cli', { SAIP_CONFIG: path });
    expect(config.home).toBe(home);
    expect(config.postgres.port).toBe(5999);
  });

  it('reports every problem at once, by the name the value came in under, without the value', () => {
    writeFileSync(join(folder, 'saip.yaml'), 'mlflow:\n  url: hunter2\n  ulr: x\ntracing: on\n');
    const load = (): unknown =>
      loadConfig('nobody', {
        SAIP_HOME: home,
        SAIP_API_PORT: '70000',
        SAIP_APl_HOST: 'x',
        TEMPORAL_ADDRESS: 'hunter2',
      });
    const problems = problemsOf(load);
    const file = join(folder, 'saip.yaml');
    expect(Object.keys(problems).sort()).toEqual(
      [
        'SAIP_APl_HOST',
        'SAIP_API_PORT',
        'SAIP_PROCESS',
        'TEMPORAL_ADDRESS',
        `mlflow.ulr (${file})`,
        `mlflow.url (${file})`,
        `tracing (${file})`,
      ].sort(),
    );
    expect(load).toThrow(/SAIP_API_PORT/);
    expect(load).not.toThrow(/hunter2/);
  });

  it('asks processes that reach the database for a login', () => {
    expect(problemsOf(() => loadConfig('worker-cpu', { SAIP_HOME: home }))).toEqual({
      SAIP_BAO_LOGIN_FILE: 'required by the process worker-cpu',
    });
  });

  describe('a trusted issuer', () => {
    const trust = {
      SAIP_HOME: 'x',
      SAIP_OIDC_ISSUER: 'https://issuer.example.org',
      SAIP_OIDC_AUDIENCE: 'saip',
      SAIP_OIDC_REPOSITORY_ID: '1',
      SAIP_OIDC_REF: 'refs/heads/main',
      SAIP_OIDC_ENVIRONMENT: 'release',
    };

    it('is bound to repository, ref, environment and audience, or is none', () => {
      expect(loadConfig('test', trust).oidc).toMatchObject({ repositoryId: '1', ref: 'refs/heads/main' });
      for (const name of Object.keys(trust).filter((key) => key.startsWith('SAIP_OIDC_'))) {
        expect(problemsOf(() => loadConfig('test', { ...trust, [name]: '' }))).toEqual({
          [name]: expect.stringContaining('required'),
        });
      }
    });

    it('shows its keys over TLS, or on this machine', () => {
      const at = (url: string): unknown => loadConfig('test', { ...trust, SAIP_OIDC_ISSUER: url });
      expect(() => at('http://127.0.0.1:9999')).not.toThrow();
      expect(problemsOf(() => at('http://issuer.example.org'))).toEqual({ SAIP_OIDC_ISSUER: expect.any(String) });
    });
  });

  describe('issuers whose tokens are taken', () => {
    const corp = { name: 'corp', issuer: 'https://id.example.org/', audience: 'saip', roles: { users: ['predictor'] } };
    const load = (list: unknown) =>
      loadConfig('test', {
        SAIP_HOME: home,
        SAIP_OIDC_ISSUERS: typeof list === 'string' ? list : JSON.stringify(list),
      });

    it('come from a variable or the file, with careful defaults', () => {
      const expected = {
        ...{ issuer: 'https://id.example.org', algorithms: ['RS256', 'ES256'], types: ['at+jwt'] },
        ...{ rolesClaim: 'roles', tenant: 'default' },
      };
      expect(load([corp]).oidc.issuers).toMatchObject([expected]);
      writeFileSync(join(folder, 'saip.yaml'), `oidc: ${JSON.stringify({ issuers: [corp] })}\n`);
      expect(loadConfig('test', { SAIP_HOME: home }).oidc.issuers).toMatchObject([expected]);
    });

    it.each([
      ['no JSON', 'corp', 'SAIP_OIDC_ISSUERS'],
      ['keys without TLS', [{ ...corp, issuer: 'http://id.example.org' }], 'oidc.issuers.0.issuer'],
      ['a shared secret', [{ ...corp, algorithms: ['HS256'] }], 'oidc.issuers.0.algorithms.0'],
      ['a role that there is not', [{ ...corp, roles: { users: ['root'] } }], 'oidc.issuers.0.roles.users.0'],
      ['one name twice', [corp, { ...corp, issuer: 'https://other.example.org' }], 'SAIP_OIDC_ISSUERS'],
      ['an unknown field', [{ ...corp, secret: 'x' }], 'oidc.issuers.0.secret'],
    ])('are refused with %s', (_, list, setting) => {
      expect(Object.keys(problemsOf(() => load(list)))).toEqual([setting]);
    });
  });

  it.each([
    ['a list', '- 1\n', /mapping/],
    ['broken YAML', 'api: {port: 1\n', /saip\.yaml/],
    ['a group that is a value', 'api: 8080\n', /api/],
    ['an alias of nothing', 'api: *none\n', /saip\.yaml/],
  ])('refuses a file with %s', (_, text, message) => {
    writeFileSync(join(folder, 'saip.yaml'), text);
    expect(() => loadConfig('test', { SAIP_HOME: home })).toThrow(message);
  });

  it('refuses a named file that is not there', () => {
    const missing = join(folder, 'none.yaml');
    expect(problemsOf(() => loadConfig('test', { SAIP_CONFIG: missing }))).toEqual({
      [missing]: 'the settings file cannot be read',
    });
  });

  it('is frozen at every depth', () => {
    const config = loadConfig('test', { SAIP_HOME: home });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.api)).toBe(true);
  });
});
