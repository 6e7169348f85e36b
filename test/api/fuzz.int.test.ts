/** @jest-environment ./test/support/ort-environment.js */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadToolchain } from '../../infra/local/toolchain.ts';
import { createHash, randomBytes } from 'node:crypto';
import { TokenResponse } from '../../contracts/token.ts';
import { OAuthClients } from '../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../support/private-database.ts';
import { createNamespace } from './support/namespace.ts';
import { startApi, type TestApi } from './support/harness.ts';
import { linearModel } from './support/onnx-models.ts';
import { openRegistry, type TestRegistry } from './support/registry.ts';
import { until } from './support/until.ts';

/** Requests for each operation; more for a deeper look: SAIP_FUZZ_EXAMPLES=200. */
const EXAMPLES = process.env['SAIP_FUZZ_EXAMPLES'] ?? '2';
const SEED = process.env['SAIP_FUZZ_SEED'] ?? '42';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

let api: TestApi;
let registry: TestRegistry;
let database: PrivateDatabase;
let folder: string;
let token: string;

beforeAll(async () => {
  // Nobody takes what it starts, and no other test lets models come and go meanwhile.
  database = await createPrivateDatabase();
  const env = { SAIP_POSTGRES_DATABASE: database.config.postgres.database };
  api = await startApi({ ...env, TEMPORAL_NAMESPACE: await createNamespace() });
  registry = await openRegistry(env);
  const { version } = await registry.register('fuzzed', linearModel());
  await registry.alias('fuzzed', 'champion', version);
  token = await administrator();
  const ready = () => api.call('GET', '/v2/models/fuzzed/ready', { token });
  await until('the model is served', async () => (await ready()).status === 200);
  folder = await mkdtemp(join(tmpdir(), 'saip-fuzz-'));
});

afterAll(async () => {
  await api.stop();
  await registry.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

/** A token of a client that only this database knows. */
async function administrator(): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  await new OAuthClients(database.owner).put({
    clientId: 'fuzzer',
    secretSha256: createHash('sha256').update(secret).digest('hex'),
    subject: 'fuzzer',
    roles: ['admin'],
    tenant: 'default',
  });
  const json = { grant_type: 'client_credentials', client_id: 'fuzzer', client_secret: secret };
  return TokenResponse.parse((await api.call('POST', '/v1/auth/token', { json })).body).access_token;
}

/** @param which operations are asked */
async function fuzz(which: readonly string[]): Promise<void> {
  const schemathesis = join(dirname(loadToolchain().apiClients), 'schemathesis');
  const options = [
    ...['--checks', CHECKS.join(','), '--phases', 'fuzzing', '--max-examples', EXAMPLES, '--seed', SEED],
    ...['--header', `Authorization: Bearer ${token}`, '--workers', '2', '--continue-on-failure'],
    ...['--generation-database', 'none', '--request-timeout', '20', ...which],
    ...['--suppress-health-check', 'all', '--warnings', 'off', '--no-color', '--no-shrink'],
  ];
  const child = spawn(schemathesis, ['run', ...options, `${api.url}/openapi.json`], { cwd: folder });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  expect({ code, output: code === 0 ? '' : output, errors }).toEqual({ code: 0, output: '', errors: '' });
}

it(
  'every operation of the document answers what the document says, whatever is sent',
  async () => {
    await fuzz(['--exclude-operation-id', 'unloadModel']);
    // It takes away what everything else is asked about: so it comes last, and means that model.
    await writeFile(join(folder, 'schemathesis.toml'), '[parameters]\n"path.model" = "fuzzed"\n');
    await fuzz(['--include-operation-id', 'unloadModel']);
    expect(await api.call('GET', '/v2/models/fuzzed/ready', { token })).toMatchObject({ status: 503 });
    expect(await api.call('POST', '/v2/repository/models/fuzzed/load', { token, json: {} })).toMatchObject({
      status: 200,
    });
    expect(await api.call('GET', '/v2/models/fuzzed/ready', { token })).toMatchObject({ status: 200 });
  },
  // Seconds on a quiet machine.
  300_000 + Number(EXAMPLES) * 30_000,
);
