import { createHash } from 'node:crypto';
import type { ArtifactRef } from '../../../contracts/reference.ts';

export function ref(name: string): ArtifactRef {
  const sha256 = createHash('sha256').update(name).digest('hex');
  return { uri: `cas://sha256/${sha256}`, sha256, bytes: name.length, mediaType: 'application/octet-stream' };
}
