import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const PROCESS = join(import.meta.dirname, 'support', 'traced-process.ts');

interface Line {
  readonly enabled?: boolean;
  readonly sdk?: boolean;
  readonly msg?: string;
  readonly trace_id?: string;
}

/** OTLP/JSON, as far as it is looked at here. */
interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly events: readonly { readonly name: string }[];
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

async function run(variables: Record<string, string>): Promise<Line[]> {
  const env = { PATH: process.env['PATH'] ?? '', ...variables };
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS], { env });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

describe('startTelemetry', () => {
  it.each([
    ['nothing asks for it', {}],
    ['the exporter is none', { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }],
    ['the SDK is disabled', { OTEL_SDK_DISABLED: 'true', OTEL_TRACES_EXPORTER: 'otlp' }],
  ])('loads nothing when %s', async (_, variables) => {
    const [line, end] = await run(variables);
    expect(line?.msg).toBe('inside');
    expect(line?.trace_id).toBeUndefined();
    expect(end).toEqual({ enabled: false, sdk: false });
  });

  it('sends spans where the standard variables say, with the ids they have in logs and workflows', async () => {
    const exports: Export[] = [];
    const collector = createServer((request, response) => {
      void json(request).then((body) => {
        exports.push(body as Export);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const { port } = collector.address() as AddressInfo;
    const [line, end] = await run({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    });
    collector.close();
    expect(end).toEqual({ enabled: true, sdk: true });

    const resources = exports.flatMap(({ resourceSpans }) => resourceSpans);
    const names = resources.flatMap(({ resource }) => resource.attributes.filter(({ key }) => key === 'service.name'));
    expect(new Set(names.map(({ value }) => value.stringValue))).toEqual(new Set(['saip-worker-cpu']));
    const spans = resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    const request = spans.find(({ name }) => name === 'request');
    expect(request?.traceId).toBe(line?.trace_id);
    expect(spans.find(({ name }) => name === 'workflow')).toMatchObject({
      traceId: request?.traceId,
      spanId: 'feedfacefeedface',
      parentSpanId: request?.spanId,
      startTimeUnixNano: '1767225600000000000',
      status: { code: 2, message: 'refused' },
      events: [{ name: 'gate' }],
    });
  });
});
