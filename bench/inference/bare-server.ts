import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { MODEL, type ServerOrder } from './orders.ts';

/** Node's own server around ONNX Runtime: no token, no check, no record. What the machine can do at most. */
const order = JSON.parse(process.argv[2] ?? '{}') as ServerOrder;
const session = await InferenceSession.create(order.model, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
});

interface Body {
  readonly inputs: readonly [{ readonly name: string; readonly shape: number[]; readonly data: number[] }];
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { inputs } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body;
    const [{ name, shape, data }] = inputs;
    void session.run({ [name]: new Tensor('float32', Float32Array.from(data), shape) }).then((results) => {
      const outputs = Object.entries(results).map(([output, { dims, type, data: elements }]) => ({
        name: output,
        shape: dims,
        datatype: type === 'int64' ? 'INT64' : 'FP32',
        data: Array.from(elements as Float32Array, Number),
      }));
      const body = JSON.stringify({ model_name: MODEL, model_version: '1', outputs });
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
      response.end(body);
    });
  });
}).listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
