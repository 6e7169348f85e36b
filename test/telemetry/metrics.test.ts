import { expect, it } from '@jest/globals';
import { createMetricsRegistry } from '../../lib/telemetry/index.ts';

it('createMetricsRegistry has the metrics of the process, by service', async () => {
  const text = await createMetricsRegistry('saip-api').metrics();
  expect(text).toMatch(/^process_resident_memory_bytes\{service="saip-api"\} \d+$/m);
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds/m);
});
