import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { Sequencer, Witness, formatVerifierKey, noteKey } from '../../lib/audit/index.ts';
import { AuditTree, createPool, type DatabaseCredentials } from '../../lib/clients/index.ts';
import type { SaipConfig } from '../../lib/config/index.ts';

/** A sequencer beside the writers, as it is a process of its own in the platform. */
const { config, credentials, folder } = workerData as {
  readonly config: SaipConfig;
  readonly credentials: DatabaseCredentials;
  readonly folder: string;
};
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const key = noteKey('bench/audit', Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
const pool = createPool(config, credentials);
const sequencer = new Sequencer({
  store: new AuditTree(pool),
  keys: () => Promise.resolve([key]),
  sign: (text) => Promise.resolve(sign(undefined, text, privateKey)),
  witness: new Witness(join(folder, 'witness.json')),
  pause: 50,
  checkpointPause: 1_000,
  onError: (error) => {
    throw error;
  },
});
const stop = new AbortController();
const running = sequencer.run(stop.signal);
parentPort?.postMessage(formatVerifierKey(key));
if (parentPort) await once(parentPort, 'message');
stop.abort();
await running;
const head = await sequencer.drain();
await pool.end();
parentPort?.postMessage(head?.size);
parentPort?.close();
