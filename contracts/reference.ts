import { z } from 'zod';

/** Lower-case hexadecimal SHA-256. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a lower-case hexadecimal SHA-256');

/**
 * Points to immutable bytes. A consumer verifies `sha256` and `bytes` before it uses what it read.
 * `uri` is `cas://sha256/<hex>` for the platform's content-addressed store.
 */
export const ArtifactRef = z.strictObject({
  uri: z.string().min(1).max(2048),
  sha256: Sha256,
  bytes: z.int().nonnegative(),
  mediaType: z.string().min(1).max(255),
});
export type ArtifactRef = z.infer<typeof ArtifactRef>;

/** Names of models, data sets, aliases and presets: what is safe in a URL path, a file name and MLflow. */
export const Name = z
  .string()
  .min(1)
  .max(64)
  .regex(
    /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/,
    'lower-case letters, digits, ".", "_" and "-", starting and ending with a letter or digit',
  );
