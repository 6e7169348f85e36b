import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MlflowClient } from '../../../lib/clients/index.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers requests in turn; the last answer is for the rest. */
async function serving(...answers: RequestListener[]): Promise<{ url: string; requests: () => number }> {
  let requests = 0;
  server = createServer((request, response) => {
    const answer = answers[Math.min(requests, answers.length - 1)];
    requests += 1;
    answer?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests: () => requests };
}

const answer =
  (status: number, body: unknown): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
const run = answer(200, {
  run: {
    info: { run_id: 'r', experiment_id: '1', status: 'RUNNING', start_time: 5, artifact_uri: 'mlflow-artifacts:/1' },
  },
});
const hangUp: RequestListener = (request) => request.socket.destroy();

describe('MlflowClient', () => {
  it('tries again when the server is busy or the connection breaks', async () => {
    const { url, requests } = await serving(answer(503, {}), hangUp, run);
    expect((await new MlflowClient({ url }).runs.get('r')).startTime).toBe(5);
    expect(requests()).toBe(3);
  });

  it('gives up after a few attempts', async () => {
    const { url, requests } = await serving(
      answer(500, { error_code: 'INTERNAL_ERROR', message: 'oops\nSQL: secret' }),
    );
    const failure = new MlflowClient({ url, retries: 1 }).runs.get('r');
    await expect(failure).rejects.toMatchObject({ code: 'MLFLOW_UNAVAILABLE', errorCode: 'INTERNAL_ERROR' });
    await expect(failure).rejects.not.toThrow(/SQL/);
    expect(requests()).toBe(2);
  });

  it('does not repeat what the server refuses', async () => {
    const { url, requests } = await serving(answer(400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'no' }));
    await expect(new MlflowClient({ url }).runs.get('r')).rejects.toMatchObject({
      code: 'MLFLOW_REJECTED',
      errorCode: 'INVALID_PARAMETER_VALUE',
      message: 'MLflow refused GET /api/2.0/mlflow/runs/get with 400 INVALID_PARAMETER_VALUE: no',
    });
    expect(requests()).toBe(1);
  });

  it.each([
    [
      'no JSON',
      (_: unknown, response: Parameters<RequestListener>[1]) => void response.end('<html>'),
      'MLFLOW_UNAVAILABLE',
    ],
    ['another form', answer(200, { run: { info: {} } }), 'MLFLOW_REJECTED'],
    [
      'a redirection',
      (_: unknown, response: Parameters<RequestListener>[1]) => void response.writeHead(302, { location: '/' }).end(),
      'MLFLOW_UNAVAILABLE',
    ],
  ])('does not take %s for an answer', async (_, listener, code) => {
    const { url } = await serving(listener);
    await expect(new MlflowClient({ url, retries: 0 }).runs.get('r')).rejects.toMatchObject({ code });
  });

  it('does not wait for a server that never answers', async () => {
    const { url } = await serving(() => undefined);
    await expect(new MlflowClient({ url, retries: 0, timeoutMs: 50 }).runs.get('r')).rejects.toMatchObject({
      code: 'MLFLOW_UNAVAILABLE',
    });
  });

  it('ends with its caller', async () => {
    const caller = new AbortController();
    const { url, requests } = await serving(() => caller.abort(new Error('cancelled')));
    await expect(new MlflowClient({ url }).with(caller.signal).runs.get('r')).rejects.toThrow('cancelled');
    expect(requests()).toBe(1);
  });

  it.each(['../up', 'a//b', '', 'a/.', '/abs'])('sends no artifact named "%s"', async (path) => {
    const { url, requests } = await serving(run);
    const { artifacts } = new MlflowClient({ url });
    await expect(artifacts.upload('mlflow-artifacts:/1/r/artifacts', path, new Blob([]))).rejects.toMatchObject({
      code: 'MLFLOW_REJECTED',
    });
    expect(requests()).toBe(0);
  });

  it('sends a file that is replaced while it is sent', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'saip-upload-'));
    const path = join(folder, 'config.json');
    await writeFile(path, 'the same');
    const received: string[] = [];
    const { url } = await serving((request, response) => {
      void text(request).then((body) => {
        received.push(body);
        response.end();
      });
    });
    let attempts = 0;
    const replacing: typeof fetch = async (...request) => {
      attempts += 1;
      if (attempts === 1) {
        await writeFile(`${path}.new`, 'the same');
        // A blob sees by size and time that its file is another one.
        await utimes(`${path}.new`, 0, 0);
        await rename(`${path}.new`, path);
      }
      return fetch(...request);
    };
    const { artifacts } = new MlflowClient({ url, fetch: replacing });
    await artifacts.uploadFile('mlflow-artifacts:/1/r/artifacts', 'config.json', { path, mediaType: 'text/plain' });
    expect({ attempts, received }).toEqual({ attempts: 2, received: ['the same'] });
    await rm(folder, { recursive: true });
  });

  it('needs the server to proxy artifacts', async () => {
    const { artifacts } = new MlflowClient({ url: 'http://127.0.0.1:1' });
    await expect(artifacts.download('s3://bucket/1', 'a')).rejects.toThrow('--artifacts-destination');
  });
});
