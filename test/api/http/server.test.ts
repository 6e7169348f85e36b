import { describe, expect, it } from '@jest/globals';
import express from 'express';
import { Agent, request } from 'node:http';
import { HttpServer } from '../../../api/server.ts';

interface Reply {
  readonly status: number | undefined;
  readonly closes: boolean;
}

function get(url: string, agent: Agent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve({ status: answer.statusCode, closes: answer.headers.connection === 'close' }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('HttpServer', () => {
  it('answers what is in flight, sends clients elsewhere, and takes nothing new', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const app = express();
    app.get('/slow', async (_request, response) => {
      begin();
      await released;
      response.send('done');
    });
    app.get('/fast', (_request, response) => {
      response.send('done');
    });
    const server = new HttpServer(app);
    const url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
    const agent = new Agent({ keepAlive: true });
    expect(await get(`${url}/fast`, agent)).toEqual({ status: 200, closes: false });
    const slow = get(`${url}/slow`, agent);
    await begun;
    const drained = server.drain({ notice: 1_000 });
    expect(await get(`${url}/fast`, agent)).toEqual({ status: 200, closes: true });
    release();
    expect((await slow).status).toBe(200);
    await drained;
    await expect(get(`${url}/fast`, new Agent())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    agent.destroy();
  });

  it('cuts a request that does not end', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const app = express();
    app.get('/', () => begin());
    const server = new HttpServer(app);
    const url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
    const stuck = get(url, new Agent());
    const refusal = expect(stuck).rejects.toMatchObject({ code: 'ECONNRESET' });
    await begun;
    await server.drain({ notice: 0, limit: 10 });
    await refusal;
  });
});
