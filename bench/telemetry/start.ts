import { loadConfig } from '../../lib/config/index.ts';
import { startTelemetry } from '../../lib/telemetry/index.ts';

/** Imported before the server of the benchmark, as the API's own process starts OpenTelemetry first. */
if (process.argv[1]?.endsWith('platform-server.ts') === true)
  await startTelemetry({ config: loadConfig('test', {}), service: 'saip-api' });
