import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Node's own server, which reads each request and answers with an empty object: no server on it can do more. */
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '2' }).end('{}');
  });
}).listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
