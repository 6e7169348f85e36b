import { z } from 'zod';
import { PageQuery } from './api.ts';
import { Name, Sha256 } from './reference.ts';
import { ReleaseManifest, ReleaseSummary } from './release.ts';

export const ReleaseListQuery = PageQuery.extend({ model: Name.optional() });
/** Newest first. */
export const ReleaseList = z.object({ releases: z.array(ReleaseSummary), nextPageToken: z.string().optional() });
export type ReleaseList = z.infer<typeof ReleaseList>;

export const ReleaseDetail = z.object({ release: ReleaseSummary, manifest: ReleaseManifest });
export type ReleaseDetail = z.infer<typeof ReleaseDetail>;

/** Public keys that releases of this platform are verified with, by the fingerprint that people compare. */
export const ReleaseKeys = z.object({ keys: z.array(z.object({ fingerprint: Sha256, pem: z.string() })) });
export type ReleaseKeys = z.infer<typeof ReleaseKeys>;
