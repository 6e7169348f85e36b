import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Connection, defaultPayloadConverter } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import getPort from 'get-port';
import { z } from 'zod';
import type { Role } from '../../contracts/roles.ts';
import { InferResponse } from '../../contracts/inference.ts';
import { CHECKOUT } from '../../infra/local/toolchain.ts';
import { stackEnv } from '../support/stack.ts';
import { localClient } from './support/harness.ts';
import { createNamespace } from './support/namespace.ts';
import { linearModel } from './support/onnx-models.ts';
import { openRegistry } from './support/registry.ts';
import { until } from './support/until.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const callerSpan = 'b7ad6b7169203331';
const spans: Span[] = [];
let collector: Server;
let api: ChildProcess;
let url: string;
let namespace: string;

const Export = z.object({
  resourceSpans: z.array(
    z.object({
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** An API of its own process that sends its spans, as OTLP over HTTP, to this test. */
beforeAll(async () => {
  collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { resourceSpans } = Export.parse(JSON.parse(body));
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const port = await getPort();
  url = `http://127.0.0.1:${port}`;
  namespace = await createNamespace();
  api = spawn(process.execPath, [join(CHECKOUT, 'api', 'main.ts')], {
    env: {
      ...stackEnv('api'),
      SAIP_API_PORT: String(port),
      SAIP_API_URL: url,
      TEMPORAL_NAMESPACE: namespace,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
    stdio: 'ignore',
  });
  await until('the API lives', async () => (await fetch(`${url}/health/live`).catch(() => undefined))?.status === 200);
});

afterAll(async () => {
  api.kill('SIGTERM');
  await once(api, 'exit');
  collector.closeAllConnections();
  collector.close();
});

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return await answer.json();
}

async function tokenOf(role: Role): Promise<string> {
  const { clientId, clientSecret } = localClient(role);
  const credentials = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  return z.object({ access_token: z.string() }).parse(await post('/v1/auth/token', credentials)).access_token;
}

describe('a trace', () => {
  it('goes from the caller through the request into the workflow', async () => {
    const token = await tokenOf('trainer');
    const started = await post(
      '/v1/workflows/train-register-deploy',
      { model: 'mnist-softmax' },
      { authorization: `Bearer ${token}`, traceparent: `00-${traceId}-${callerSpan}-01` },
    );
    const { workflowId } = z.object({ workflowId: z.string() }).parse(started);

    const ours = () => spans.filter((span) => span.traceId === traceId);
    await until('both spans arrive', () => ours().length >= 2);
    const request = ours().find(({ name }) => name === 'POST /v1/workflows/train-register-deploy');
    const start = ours().find(({ name }) => name === 'StartWorkflow:trainRegisterDeploy');
    expect(request?.parentSpanId).toBe(callerSpan);
    expect(start?.parentSpanId).toBe(request?.spanId);
    expect(await traceparentOf(workflowId)).toBe(`00-${traceId}-${start?.spanId}-01`);
  });

  it('goes from the caller through the queue of a model into its run', async () => {
    const registry = await openRegistry();
    const model = `traced-${randomUUID().slice(0, 8)}`;
    const { version } = await registry.register(model, linearModel());
    await registry.alias(model, 'champion', version);
    await registry.close();
    const token = await tokenOf('predictor');
    const own = '4bf92f3577b34da6a3ce929d0e0e4736';
    const tensor = { name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] };
    await until('the model answers', async () => {
      const headers = { authorization: `Bearer ${token}`, traceparent: `00-${own}-${callerSpan}-01` };
      return InferResponse.safeParse(await post(`/v2/models/${model}/infer`, { inputs: [tensor] }, headers)).success;
    });

    const named = (name: string) => spans.find((span) => span.traceId === own && span.name === name);
    const [queue, run] = await until('the spans arrive', () => {
      const both = [named('inference queue'), named('onnxruntime run')] as const;
      return both.every((span) => span !== undefined) && both;
    });
    const request = await until('the request ends', () => spans.find(({ spanId }) => spanId === run?.parentSpanId));
    expect(request).toMatchObject({ traceId: own, parentSpanId: callerSpan, name: 'POST /v2/models/{model}/infer' });
    expect(queue?.parentSpanId).toBe(request.spanId);
    // The histogram of runs names the request as an example, to whoever asks in the format that can say so.
    const reader = await tokenOf('viewer');
    const scrape = async (accept: string): Promise<Response> =>
      fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${reader}`, accept } });
    const open = await scrape('application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5');
    expect(open.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const buckets = (await open.text()).split('\n').filter((line) => line.includes(`model="${model}"`));
    expect(buckets.join('\n')).toContain(`# {trace_id="${own}",span_id="${request.spanId}"}`);
    const plain = await scrape('*/*');
    expect(plain.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await plain.text()).not.toContain('trace_id');
  });

  it('is not made for probes', async () => {
    await fetch(`${url}/health/ready`);
    await fetch(`${url}/v2`);
    await until('the other span arrives', () => spans.some(({ name }) => name === 'GET /v2'));
    expect(spans.filter(({ name }) => name.includes('health'))).toEqual([]);
  });
});

/** What the history says the workflow was started with. */
async function traceparentOf(workflowId: string): Promise<string | undefined> {
  const connection = await Connection.connect({ address: stackEnv('api')['TEMPORAL_ADDRESS'] });
  const { history } = await connection.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId },
  });
  await connection.close();
  const fields = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.header?.fields ?? {};
  const payload = fields['_tracer-data'];
  const carrier = payload && defaultPayloadConverter.fromPayload<Record<string, string>>(payload);
  return carrier?.['traceparent'];
}
