import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { connect } from 'node:net';
import { HttpServer } from '../../../api/server.ts';
import { Problem } from '../../../contracts/api.ts';

const logged: unknown[] = [];
let port: number;
let server: HttpServer;

beforeAll(async () => {
  const keep = (fields: object): void => void logged.push(fields);
  const app = express();
  app.use((_request, response) => void response.send('app'));
  const first = {
    handle: (request: { url?: string }, response: { end(text: string): unknown }) =>
      request.url === '/plane' && Boolean(response.end('plane')),
  };
  server = new HttpServer(app, first, { logger: { error: keep, warn: keep, info: keep }, headersTimeout: 300 });
  port = await server.listen('127.0.0.1', 0);
});
afterAll(() => server.drain({ notice: 0, limit: 0 }));

/** @returns everything that comes back until the connection ends */
function exchange(message: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: '127.0.0.1', port });
  let text = '';
  socket
    .on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    .on('error', () => resolve(text))
    .on('close', () => resolve(text));
  socket.write(message, 'latin1');
  return promise;
}

const head = (...lines: string[]): string => `${['GET /plane HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`;
const secret = 'Bearer s3cret-s3cret';

describe('a message that never becomes a request', () => {
  it.each<[string, string, number, string, string]>([
    ['headers of 17 KiB', head('Host: x', `X-A: ${'a'.repeat(17_000)}`), 431, 'REQUEST_HEADERS_TOO_LARGE', ''],
    [
      'two tokens',
      head('Host: x', `Authorization: ${secret}`, 'authorization: b'),
      400,
      'REQUEST_INVALID',
      'authorization',
    ],
    ['two API keys', head('Host: x', 'X-API-Key: a', 'X-Api-Key: b'), 400, 'REQUEST_INVALID', 'x-api-key'],
    ['two hosts', head('Host: x', 'Host: y'), 400, 'REQUEST_INVALID', 'host'],
    ['no host', head('Accept: */*'), 400, 'REQUEST_INVALID', 'host'],
    ['no HTTP', 'hello\r\n\r\n', 400, 'REQUEST_INVALID', ''],
    [
      'lines that end in a line feed',
      `GET /plane HTTP/1.1\r\nHost: x\nAuthorization: ${secret}\n\n`,
      400,
      'REQUEST_INVALID',
      '',
    ],
    ['a folded header', head('Host: x', `Authorization: Bearer\r\n s3cret-s3cret`), 400, 'REQUEST_INVALID', ''],
    [
      'headers that do not end',
      `GET /plane HTTP/1.1\r\nHost: x\r\nAuthorization: ${secret}\r\n`,
      408,
      'REQUEST_TIMEOUT',
      '',
    ],
  ])('with %s is answered with problem details and closed', async (_, message, status, code, field) => {
    logged.length = 0;
    const text = await exchange(message);
    const [top = '', body = ''] = text.split('\r\n\r\n');
    const [line, ...lines] = top.split('\r\n');
    const headers = new Headers(lines.map((one) => one.split(': ') as [string, string]));
    expect(line).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `));
    expect(headers.get('connection')).toBe('close');
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-length')).toBe(String(body.length));
    const problem = Problem.parse(JSON.parse(body));
    expect(problem).toMatchObject({ status, code, ...(field !== '' && { errors: [{ field: `header.${field}` }] }) });
    expect(logged).toMatchObject([{ code, traceId: problem.traceId }]);
    for (const told of [text, JSON.stringify(logged)]) expect(told).not.toMatch(/s3cret|HPE_|Parse Error|aaaa/);
  });

  it('is answered once, however much of it comes', async () => {
    const text = await exchange(`hello\r\n\r\n${'x'.repeat(200_000)}`);
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('differs from those that the application and the data plane answer', async () => {
    expect(await exchange(head('Host: x', 'Connection: close', `Authorization: ${secret}`))).toMatch(/plane$/);
    expect(await exchange('GET / HTTP/1.0\r\n\r\n')).toMatch(/app$/);
  });
});
