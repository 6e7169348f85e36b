/** @jest-environment ./test/support/ort-environment.js */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadToolchain } from '../../infra/local/toolchain.ts';
import { createNamespace } from './support/namespace.ts';
import { startApi, type TestApi } from './support/harness.ts';

/** Requests for each operation; more for a deeper look: SAIP_FUZZ_EXAMPLES=200. */
const EXAMPLES = process.env['SAIP_FUZZ_EXAMPLES'] ?? '5';
const SEED = process.env['SAIP_FUZZ_SEED'] ?? '42';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

let api: TestApi;
let folder: string;

beforeAll(async () => {
  // What it starts is taken by nobody.
  api = await startApi({ TEMPORAL_NAMESPACE: await createNamespace() });
  folder = await mkdtemp(join(tmpdir(), 'saip-fuzz-'));
});

afterAll(async () => {
  await api.stop();
  await rm(folder, { recursive: true });
});

it(
  'every operation of the document answers what the document says, whatever is sent',
  async () => {
    const schemathesis = join(dirname(loadToolchain().apiClients), 'schemathesis');
    const options = [
      ...['--checks', CHECKS.join(','), '--phases', 'fuzzing', '--max-examples', EXAMPLES, '--seed', SEED],
      ...['--header', `Authorization: Bearer ${await api.token('admin')}`, '--workers', '2', '--continue-on-failure'],
      ...['--suppress-health-check', 'all', '--warnings', 'off', '--no-color', '--no-shrink'],
    ];
    const child = spawn(schemathesis, ['run', ...options, `${api.url}/openapi.json`], { cwd: folder });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    expect({ code, output: code === 0 ? '' : output, errors }).toEqual({ code: 0, output: '', errors: '' });
  },
  60_000 + Number(EXAMPLES) * 30_000,
);
