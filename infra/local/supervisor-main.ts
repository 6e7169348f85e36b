import { mkdirSync, readFileSync } from 'node:fs';
import { pino } from 'pino';
import { z } from 'zod';
import { ensureStackId } from './identity.ts';
import { stackLayout } from './layout.ts';
import { openLog } from './logs.ts';
import { choosePorts, releasePorts } from './ports.ts';
import { isAlive } from './processes.ts';
import { selectServices } from './selection.ts';
import { GROUPS, SERVICES } from './services/index.ts';
import { readStackState } from './state.ts';
import { Supervisor } from './supervisor.ts';
import { loadToolchain } from './toolchain.ts';

const Request = z.object({ only: z.array(z.string()) });

const layout = stackLayout(z.string().parse(process.env.SAIP_HOME));
for (const directory of [layout.run, layout.logs, layout.data, layout.env])
  mkdirSync(directory, { recursive: true, mode: 0o700 });
mkdirSync(layout.appRoles, { recursive: true, mode: 0o700 });

const log = openLog(layout.logs, 'supervisor');
const logger = pino({ base: undefined, timestamp: pino.stdTimeFunctions.isoTime }, log);

const previous = readStackState(layout.stateFile);
if (previous?.supervisor && previous.supervisor.pid !== process.pid && isAlive(previous.supervisor)) {
  throw new Error(`a supervisor runs already with pid ${previous.supervisor.pid}`);
}
const ports = await choosePorts(previous?.ports ?? {});
const context = {
  stackId: ensureStackId(layout),
  layout,
  toolchain: loadToolchain(),
  ports,
};
const supervisor = new Supervisor(context, logger);

const startRequested = (): void => {
  const { only } = Request.parse(JSON.parse(readFileSync(layout.requestFile, 'utf8')));
  supervisor.start(selectServices(SERVICES, GROUPS, only));
};

let ending: Promise<void> | undefined;
const stop = (name: NodeJS.Signals): void => {
  ending ??= (async () => {
    logger.info({ signal: name }, 'stopping');
    await supervisor.stop();
    releasePorts(ports);
    logger.info('stopped');
    log.end(() => process.exit(0));
  })();
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('SIGHUP', startRequested);

logger.info({ stack: context.stackId, ports }, 'supervisor started');
startRequested();
// Signals and children wake the process; nothing else keeps it alive while all services wait to be restarted.
setInterval(() => undefined, 2 ** 30);
