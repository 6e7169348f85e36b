import { afterEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { EventStream } from '../../../api/http/event-stream.ts';
import { openEvents } from '../support/event-source.ts';
import { listen, type Listening } from '../support/listen.ts';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function serve(options: ConstructorParameters<typeof EventStream>[1] = {}) {
  const { promise, resolve } = Promise.withResolvers<EventStream>();
  const app = express();
  app.get('/', (_request, response) => resolve(new EventStream(response, options)));
  const server = await listen(app);
  open.push(server);
  return { url: server.url, stream: promise };
}

/** A client that sends its request and then reads nothing. */
async function deafClient(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  return socket;
}

describe('EventStream', () => {
  it('sends events with their names and ids, and ends', async () => {
    const served = await serve();
    const reader = openEvents(served.url, {});
    const stream = await served.stream;
    stream.send({ event: 'progress', id: 'a.1', data: { text: 'two\nlines' } });
    stream.end({ event: 'end', data: 1 });
    expect(await (await reader).until(() => false)).toEqual([
      { event: 'progress', id: 'a.1', data: { text: 'two\nlines' } },
      { event: 'end', id: undefined, data: 1 },
    ]);
    await stream.closed;
  });

  it('sends comments so that nothing between takes the connection for dead', async () => {
    const served = await serve({ heartbeat: 5 });
    const answer = await fetch(served.url);
    const stream = await served.stream;
    setTimeout(() => stream.end(), 60);
    const text = await answer.text();
    expect(text).toContain('retry: 2000\n\n');
    expect(text).toContain(': alive\n\n');
  });

  it('keeps one event for a client that does not read, and then lets go of it', async () => {
    const served = await serve({ stall: 200 });
    const socket = await deafClient(served.url);
    const stream = await served.stream;
    const before = process.memoryUsage().arrayBuffers;
    const data = { filler: 'x'.repeat(64 * 1024) };
    for (let id = 1; id <= 2_000; id += 1) {
      stream.send({ event: 'progress', id: `a.${id}`, data });
      if (id % 50 === 0) await new Promise(setImmediate);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    await stream.closed;
    socket.destroy();
  });

  it('lets go of a client that does not take the end', async () => {
    const served = await serve({ stall: 200, heartbeat: 600_000 });
    const socket = await deafClient(served.url);
    const stream = await served.stream;
    // More than the system takes for a client that reads nothing, in the very last event.
    stream.end({ event: 'end', data: { filler: 'x'.repeat(32 * 1024 * 1024) } });
    await stream.closed;
    socket.destroy();
  });

  it('gives a slow client the newest state when it reads again', async () => {
    const served = await serve();
    const socket = await deafClient(served.url);
    const stream = await served.stream;
    const data = { filler: 'x'.repeat(64 * 1024) };
    for (let id = 1; id <= 500; id += 1) {
      stream.send({ event: 'progress', id: `a.${id}`, data });
      if (id % 50 === 0) await new Promise(setImmediate);
    }
    const ids: string[] = [];
    let buffer = '';
    socket.on('data', (chunk: Buffer) => {
      buffer += chunk.toString('latin1');
      for (const [, id = ''] of buffer.matchAll(/^id: (\S+)$/gm)) if (!ids.includes(id)) ids.push(id);
      buffer = buffer.slice(-200);
    });
    socket.resume();
    while (ids.at(-1) !== 'a.500') await once(socket, 'data');
    expect(ids.length).toBeLessThan(500);
    stream.end();
    socket.destroy();
  });
});
