import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Sequencer, Witness, noteKey, type NoteKey } from '../lib/audit/index.ts';
import { AuditErasure, AuditTree, keepRetention, UsageLog } from '../lib/clients/index.ts';
import { loadConfig } from '../lib/config/index.ts';
import { createLogger } from '../lib/telemetry/index.ts';
import type { Logger } from '../lib/telemetry/index.ts';
import { exitCodeOf, explain } from './shared/exit.ts';
import { openResources, type Resources } from './shared/resources.ts';

/** The process that orders the audit log into its tree, signs the tree's head, and lets old personal data go: records and counts of usage. */
let logger: Logger | undefined;
try {
  const config = loadConfig('sequencer');
  logger = createLogger(config.process, { level: config.logLevel });
  const resources = openResources(config);
  await work(resources, logger);
  await resources.close();
} catch (error) {
  explain(error, logger);
  process.exitCode = exitCodeOf(error);
}

async function work(resources: Resources, log: Logger): Promise<void> {
  const { config, bao } = resources;
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const pool = await resources.database();
  const keys = (): Promise<NoteKey[]> => logKeys(resources);
  // Without its key a sequencer would only make a tree that nobody can check.
  await keys();
  const onError = (error: unknown): void =>
    log.error({ err: error }, 'the audit log is not sequenced; it is tried again');
  const sequencer = new Sequencer({
    store: new AuditTree(pool),
    keys,
    sign: async (text) => (await bao.transitSignMessage('audit', text)).signature,
    witness: new Witness(join(config.home, 'data', 'audit', 'signed.json')),
    pause: config.audit.pause,
    checkpointPause: config.audit.checkpointPause,
    onError,
  });
  const readyFile = process.env['SAIP_READY_FILE'];
  if (readyFile !== undefined) await writeFileAtomic(readyFile, `${process.pid}\n`, { mode: 0o600 });
  log.info({ origin: config.audit.origin }, 'the sequencer works');
  const forgetting = new AuditErasure(pool).keepRetention({
    days: config.audit.retentionDays,
    signal: stop.signal,
    onError,
  });
  const usage = new UsageLog(pool);
  const counting = keepRetention(() => usage.removeOlder(config.limits.usageDays), {
    signal: stop.signal,
    onError: (error) => log.error({ err: error }, 'old counts of usage are not removed; it is tried again'),
  });
  await Promise.all([sequencer.run(stop.signal), forgetting, counting]);
  log.info('the sequencer has stopped');
}

async function logKeys({ config, bao }: Resources): Promise<NoteKey[]> {
  const { keys } = await bao.transitPublicKeys('audit');
  return keys.map(({ jwk }) => noteKey(config.audit.origin, Buffer.from(jwk.x ?? '', 'base64url')));
}
