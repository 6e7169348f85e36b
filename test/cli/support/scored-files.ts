import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { z } from 'zod';
import type { AuditRecordList } from '../../../contracts/audit-api.ts';
import type { WorkflowDetail, WorkflowStarted } from '../../../contracts/api.ts';
import type { ScoreResult } from '../../../contracts/batch-score.ts';
import { readStackState, stackLayout } from '../../../infra/local/index.ts';
import { saip } from './process.ts';
import type { Finished } from './process.ts';

const MINUTES = 60_000;
const IRIS = join(import.meta.dirname, '../../../lib/datasets/data/iris.csv');
/** Two shards: each holds at most 4 MiB. */
const RECORDS = 30_000;
const CELL = 60;

type AuditPage = z.infer<typeof AuditRecordList>;

interface Line {
  readonly record: number;
  readonly version: string;
  readonly label: string;
}

/** Tests of files that are scored, in one request and by a workflow, on a stack that other tests use, too. */
export function scoredFileTests(home: () => string): void {
  let folder: string;
  let lines: string[];
  const run = (...args: string[]): Promise<Finished> => saip(args, { env: { SAIP_HOME: home() } });
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await run(...args, '--json');
    if (code !== 0) throw new Error(`saip ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
    return JSON.parse(stdout) as T;
  };
  const parsed = (text: string): Line[] =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'saip-scored-'));
    lines = (await readFile(IRIS, 'utf8')).trim().split('\n');
    const { code, stderr } = await run('train', 'iris-softmax', '--follow', '--json');
    if (code !== 0) throw new Error(`the training ended with ${String(code)}: ${stderr}`);
  }, 3 * MINUTES);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are answered while they are sent: every record of a CSV, in order, mostly right', async () => {
    const { code, stdout, stderr } = await run('predict', 'iris-softmax', '--file', IRIS, '--stream');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const answers = parsed(stdout);
    expect(answers.map(({ record }) => record)).toEqual(lines.slice(1).map((_, index) => index));
    const right = answers.filter(({ record, label }) => lines[record + 1]?.endsWith(`,${label}`) === true);
    expect(right.length).toBeGreaterThan(0.9 * answers.length);
    const [first] = answers;
    expect(first).toMatchObject({ version: '1', probabilities: { [first?.label ?? '']: expect.any(Number) } });
  });

  it(
    'are scored by a workflow as by a request, with the refused records apart',
    async () => {
      const [file, output] = [join(folder, 'small.csv'), join(folder, 'small.ndjson')];
      await writeFile(file, `${[...lines, '5.1,3.5', 'long,3.5,1.4,0.2,x'].join('\n')}\n`);
      const args = ['score', file, '--model', 'iris-softmax@champion', '--output', output, '--idempotency-key', 'iris'];
      const { workflowId, result } = await json<WorkflowDetail>(...args);
      const { counts, predictions, scoredBy } = result as ScoreResult;
      expect(counts).toMatchObject({ records: 152, scored: 150, refused: 2 });
      expect(scoredBy).toMatchObject({ model: 'iris-softmax', version: '1' });
      const text = await readFile(output, 'utf8');
      expect(createHash('sha256').update(text).digest('hex')).toBe(predictions?.sha256);
      const streamed = await run('predict', 'iris-softmax', '--file', IRIS, '--stream');
      expect(parsed(text)).toEqual(parsed(streamed.stdout));

      const refused = await run('predictions', workflowId, '--refused');
      expect(parsed(refused.stdout)).toEqual([
        { record: 150, line: 152, reason: 'The record has 2 cells, but the header has 5.' },
        { record: 151, line: 153, reason: '"sepal length": must be a number of single precision, not "long".' },
      ]);
      expect((await json<WorkflowDetail>(...args)).workflowId).toBe(workflowId);
      const query = ['--action', 'model:infer', '--limit', '10'];
      const { entries } = await json<AuditPage>('audit', 'show', ...query);
      const records = entries.filter(({ detail }) => detail?.['workflowId'] === workflowId);
      expect(records).toMatchObject([
        {
          ...{ actor: 'local-predictor', subject: 'model:iris-softmax/1', decision: 'allow' },
          detail: {
            rows: '152',
            shard: '1 of 1',
            digest: scoredBy?.digest,
            inputDigest: expect.stringMatching(/^\w{64}$/),
          },
        },
      ]);
      const { stdout: viewer } = await run('token', '--role', 'viewer');
      const env = { SAIP_HOME: home(), SAIP_TOKEN: viewer.trim() };
      expect(await saip(['predictions', workflowId], { env })).toMatchObject({ code: 3, stdout: '' });
      expect(await saip(['score', file, '--model', 'iris-softmax'], { env })).toMatchObject({ code: 3 });
    },
    MINUTES,
  );

  it(
    'lose and repeat nothing when the worker is killed, and are left when they are cancelled',
    async () => {
      const [file, output] = [join(folder, 'large.csv'), join(folder, 'large.ndjson')];
      const [header = '', ...rows] = lines;
      // Zeros make the same numbers longer, so that few records fill two shards.
      const long = rows.map((row) => row.replaceAll(/\d+\.\d+/g, (number) => number.padEnd(CELL, '0')));
      const repeated = Array.from({ length: RECORDS }, (_, index) => long[index % long.length] ?? '');
      await writeFile(file, `${[header, ...repeated].join('\n')}\n`);
      const args = ['score', file, '--model', 'iris-softmax'];
      const { workflowId } = await json<WorkflowStarted>(...args);
      const show = (id: string): Promise<WorkflowDetail> => json<WorkflowDetail>('workflows', 'show', id);
      // One shard is done and the other may be as well: nothing may wait for what is over.
      const scored = ({ status, progress }: WorkflowDetail): boolean =>
        status !== 'running' ||
        /[12] of 2 shards/.test(progress?.stages.find(({ name }) => name === 'score')?.detail ?? '');
      while (!scored(await show(workflowId)));
      process.kill(workerOf(home()), 'SIGKILL');
      expect(await run('predictions', workflowId)).toMatchObject({ code: 1, stdout: '' });
      const { code, stdout } = await run('workflows', 'follow', workflowId, '--json');
      expect(code).toBe(0);
      const { result } = JSON.parse(stdout) as WorkflowDetail;
      expect(result).toMatchObject({ shards: 2, counts: { records: RECORDS, scored: RECORDS, refused: 0 } });
      await run('predictions', workflowId, '--output', output);
      const answers = parsed(await readFile(output, 'utf8'));
      expect(answers.every(({ record }, index) => record === index)).toBe(true);
      expect(answers).toHaveLength(RECORDS);
      const { entries } = await json<AuditPage>('audit', 'show', '--action', 'model:infer', '--limit', '20');
      const shards = entries.flatMap(({ detail }) => (detail?.['workflowId'] === workflowId ? [detail['shard']] : []));
      expect(shards.sort()).toEqual(['1 of 2', '2 of 2']);

      const again = await json<WorkflowStarted>(...args);
      await json('workflows', 'cancel', again.workflowId, '--reason', 'not needed');
      const cancelled = await run('workflows', 'follow', again.workflowId);
      expect(cancelled).toMatchObject({ code: 1, stdout: expect.stringContaining('not needed') });
    },
    3 * MINUTES,
  );
}

function workerOf(home: string): number {
  const services = readStackState(stackLayout(home).stateFile)?.services ?? [];
  const pid = services.find(({ name }) => name === 'worker-cpu')?.pid;
  if (pid === undefined) throw new Error('the stack has no worker-cpu');
  return pid;
}
