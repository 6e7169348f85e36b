import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Measurement } from '../../contracts/adversary.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import { ATTACK_BATCH } from './batches.ts';

/** SHA-256 over everything that decides the numbers of a measurement but the model and the device. */
export function measurementDigest(measurement: Measurement, { splits: { test } }: PreparedManifest): string {
  const subject = { measurement, batch: ATTACK_BATCH, x: test.x.sha256, y: test.y.sha256 };
  return createHash('sha256')
    .update(canonicalize(subject) ?? '')
    .digest('hex');
}
