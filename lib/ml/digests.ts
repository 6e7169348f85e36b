import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { ModelConfig, TrainingConfig } from '../../contracts/model-config.ts';

export interface TrainingSubject {
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
  readonly seed: number;
  /** Digest of the prepared data's manifest, which names every split by digest. */
  readonly dataSha256: string;
}

/** SHA-256 of the canonical JSON (RFC 8785) of network and training. */
export function configDigest({ model, training, seed }: Omit<TrainingSubject, 'dataSha256'>): string {
  return sha256({ model, training, seed });
}

/** SHA-256 over everything that decides the resulting weights but the device. */
export function trainingDigest({ model, training, seed, dataSha256 }: TrainingSubject): string {
  return sha256({ model, training, seed, dataSha256 });
}

function sha256(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');
}
