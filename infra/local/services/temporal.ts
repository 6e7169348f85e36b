import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../../contracts/queues.ts';
import { urls } from '../environment.ts';
import { expectOk } from '../http.ts';
import type { ServiceSpec } from '../service.ts';

/** The development server has one shard, polled 20 times a second by default, which makes every workflow task wait for
 * 50 ms. */
const POLL_RATES = ['transfer', 'timer', 'visibility'].flatMap((queue) => [
  '--dynamic-config-value',
  `history.${queue}ProcessorMaxPollRPS=2000`,
]);

/** WAL survives a killed process with a sync at checkpoints only. */
const PRAGMAS = ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'];

export const temporal: ServiceSpec = {
  name: 'temporal',
  dependsOn: [],
  port: 'temporal',
  url: urls.temporalUi,
  startTimeoutMs: 60_000,
  prepare: async ({ layout }) => {
    await mkdir(join(layout.data, 'temporal'), { recursive: true, mode: 0o700 });
  },
  command: ({ layout, ports, toolchain }) => ({
    file: toolchain.temporal,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'warn', '--ui-disable-news-fetch'],
      ...['--port', String(ports.temporal), '--http-port', String(ports.temporalHttp)],
      ...['--ui-port', String(ports.temporalUi), '--metrics-port', String(ports.temporalMetrics)],
      ...['--db-filename', join(layout.data, 'temporal', 'temporal.db')],
      ...['--ui-codec-endpoint', `${urls.api(ports)}/v1/codec`],
      ...POLL_RATES,
      ...PRAGMAS,
      ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ],
  }),
  probe: ({ ports }) => expectOk(`http://127.0.0.1:${ports.temporalHttp}/api/v1/namespaces/default`),
};
