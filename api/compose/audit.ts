import { Counter, Gauge, type Registry } from 'prom-client';
import { Shipper, Spool, noteKey, type NoteKey } from '../../lib/audit/index.ts';
import { AuditErasure, AuditLog, AuditTree, type BaoClient, type Pool } from '../../lib/clients/index.ts';
import type { SaipConfig } from '../../lib/config/index.ts';
import type { Logger } from '../http/error-handler.ts';
import type { AuditRoutesOptions } from '../routes/index.ts';
import { InferenceRecorder } from '../serving/index.ts';

export interface Audit {
  readonly log: AuditLog;
  readonly routes: AuditRoutesOptions;
  readonly recorder: InferenceRecorder;
  start(): void;
  /** Ships what is left into PostgreSQL. */
  stop(): Promise<void>;
}

interface AuditParts {
  readonly config: SaipConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly bao: BaoClient;
  readonly pool: Pool;
}

const MIB = 1024 * 1024;

/** The audit log: what people ask for goes to PostgreSQL at once, inferences through this process's spool. */
export async function composeAudit({ config, logger, registry, bao, pool }: AuditParts): Promise<Audit> {
  const { origin, spool: root, spoolMib, sync } = config.audit;
  const log = new AuditLog(pool);
  const spool = await Spool.open({ root, sync, limit: spoolMib * MIB });
  const shipper = new Shipper({
    root,
    spool,
    send: (records) => log.appendSpooled(records),
    onError: (error) => logger.warn({ err: error }, 'records wait in the audit spool'),
  });
  const registers = [registry];
  new Gauge({
    name: 'saip_audit_spool_bytes',
    help: 'Bytes of audit records that are not in PostgreSQL yet.',
    registers,
    collect() {
      this.set(spool.backlog);
    },
  });
  const refused = new Counter({
    name: 'saip_audit_refused_total',
    help: 'Requests that were refused because their record could not be kept.',
    registers,
  });
  const keys = async (): Promise<NoteKey[]> =>
    (await bao.transitPublicKeys('audit')).keys.map(({ jwk }) =>
      noteKey(origin, Buffer.from(jwk.x ?? '', 'base64url')),
    );
  return {
    log,
    routes: { log, tree: new AuditTree(pool), erasure: new AuditErasure(pool), origin, keys },
    recorder: new InferenceRecorder({ append: (record) => spool.append(record), onRefused: () => refused.inc() }),
    start: () => shipper.start(),
    stop: async () => {
      await shipper.stop();
      await spool.close();
    },
  };
}
