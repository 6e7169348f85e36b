import { describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import type { WorkflowDetail } from '../../contracts/api.ts';
import { ApiClient, fixedToken } from '../../cli/client/index.ts';
import { followWorkflow } from '../../cli/follow/index.ts';
import { loopbackServer, sendJson, startEventStream, writeEvent } from './support/server.ts';
import type { LoopbackServer } from './support/server.ts';
import { recordedIo } from './support/terminal.ts';
import { closed, COMPLETED, event, running, trainingProgress } from './support/workflow.ts';

/** An API with one workflow that has made progress and then ends as `end` says; without `end` it goes on for ever. */
function apiServer(end: WorkflowDetail | undefined): Promise<LoopbackServer> {
  return loopbackServer((request, response) => {
    if (request.url !== '/v1/workflows/train-1/events') return sendJson(response, running());
    startEventStream(response);
    writeEvent(response, 1, 'progress', event(trainingProgress(640)));
    if (end !== undefined) writeEvent(response, 2, 'end', end);
  });
}

function client({ url }: LoopbackServer): ApiClient {
  const stack = { api: url, mlflow: 'http://mlflow', docs: 'http://api/docs' };
  return new ApiClient({ apiUrl: url, stack, tokens: fixedToken('t') });
}

const REJECTED = closed({ outcome: 'rejected', reasons: ['accuracy 0.97 < 0.99'] });
const FAILED = closed(undefined, {
  status: 'failed',
  failure: { message: 'the loss is not finite', code: 'TRAINING_DIVERGED', hint: 'lower the learning rate' },
});

describe('followWorkflow', () => {
  it('ends with metrics, gates, version and links', async () => {
    await using server = await apiServer(closed(COMPLETED));
    const io = recordedIo();
    const { exitCode } = await followWorkflow(io, client(server), 'train-1', {
      signal: new AbortController().signal,
    });
    expect(exitCode).toBe(0);
    const summary = io.written().slice(io.written().indexOf('✓ completed'));
    expect(summary.split('\n')).toEqual([
      '✓ completed in 2m 14s',
      '',
      'METRIC (10000 TEST SAMPLES)  VALUE   95 % INTERVAL',
      'accuracy                     0.9912  0.9892 – 0.9932',
      'macro F1                     0.9911  0.9891 – 0.9931',
      'log loss                     0.0301  0.0281 – 0.0321',
      'ECE                          0.0042  0.0022 – 0.0062',
      '',
      'GATE         RESULT  REASON',
      'minAccuracy  passed  0.9912 >= 0.99',
      '',
      'version  mnist-cnn 3',
      `digest   ${'b'.repeat(64)}`,
      'alias    champion',
      `weights  ${'a'.repeat(64)}`,
      '',
      'Temporal UI  http://ui/train-1',
      'MLflow run   http://mlflow/#/experiments/1/runs/abc',
      'API docs     http://api/docs',
      '',
    ]);
  });

  it.each([
    ['rejected', REJECTED, 5, 'accuracy 0.97 < 0.99'],
    ['failed', FAILED, 1, 'the loss is not finite (TRAINING_DIVERGED)'],
    ['cancelled', closed(undefined, { status: 'cancelled' }), 1, '✗ cancelled'],
  ])('tells why a workflow was %s', async (_name, end, expected, text) => {
    await using server = await apiServer(end);
    const io = recordedIo();
    const signal = new AbortController().signal;
    const { exitCode } = await followWorkflow(io, client(server), 'train-1', { signal });
    expect(exitCode).toBe(expected);
    expect(io.written()).toContain(text);
  });

  it('writes one JSON document on stdout and the changes on stderr', async () => {
    await using server = await apiServer(closed(COMPLETED));
    const io = recordedIo({ interactive: true, color: false });
    await followWorkflow(io, client(server), 'train-1', { json: true, signal: new AbortController().signal });
    expect(JSON.parse(io.written())).toEqual(closed(COMPLETED));
    expect(io.errors()).toContain('train epoch 2/3');
  });

  it('sends no escape sequence to a pipe', async () => {
    await using server = await apiServer(closed(COMPLETED));
    const io = recordedIo();
    await followWorkflow(io, client(server), 'train-1', { signal: new AbortController().signal });
    expect(stripVTControlCharacters(io.written())).toBe(io.written());
  });

  it('repaints on a terminal and leaves the last frame', async () => {
    await using server = await apiServer(closed(COMPLETED));
    const io = recordedIo({ interactive: true, color: true });
    await followWorkflow(io, client(server), 'train-1', { signal: new AbortController().signal });
    expect(io.written()).toContain('\x1b[');
    expect(stripVTControlCharacters(io.written())).toContain('✓ completed');
  });

  it('detaches, says that the workflow goes on and how to come back', async () => {
    await using server = await apiServer(undefined);
    const io = recordedIo();
    const controller = new AbortController();
    const following = followWorkflow(io, client(server), 'train-1', { signal: controller.signal });
    while (server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    expect(await following).toEqual({ exitCode: 130, detail: undefined });
    expect(io.errors()).toContain('The workflow goes on.');
    expect(io.errors()).toContain('saip workflows follow train-1');
  });

  it('shows the result of a workflow that has ended, without waiting for events', async () => {
    await using server = await loopbackServer((_request, response) => sendJson(response, REJECTED));
    const { exitCode } = await followWorkflow(recordedIo(), client(server), 'train-1');
    expect(exitCode).toBe(5);
    expect(server.requests).toHaveLength(1);
  });
});

describe('the end of a rollout', () => {
  it('names the champion and the one before', async () => {
    const result = { outcome: 'completed' as const, reasons: [], model: 'm', champion: '2', formerChampion: '1' };
    const detail = { ...closed(undefined), workflowId: 'rollout-m', type: 'rolloutModel', result };
    await using server = await loopbackServer((_request, response) => sendJson(response, detail));
    const io = recordedIo();
    expect(await followWorkflow(io, client(server), 'rollout-m')).toMatchObject({ exitCode: 0, detail: { result } });
    expect(io.written()).toContain('champion         2\nformer champion  1');
  });
});
