import { z } from 'zod';

/** `GET secret/data/:path` (kv version 2) */
export const KvResponse = z.object({ data: z.object({ data: z.record(z.string(), z.string()) }) });

/** `POST transit/sign/:name` */
export const SignResponse = z.object({ data: z.object({ signature: z.string(), key_version: z.int().positive() }) });

/** `POST transit/hmac/:name` */
export const HmacResponse = z.object({ data: z.object({ hmac: z.string().regex(/^vault:v[1-9]\d*:.+$/) }) });

/** `POST transit/datakey/plaintext/:name` */
export const DatakeyResponse = z.object({ data: z.object({ plaintext: z.base64(), ciphertext: z.string().min(1) }) });

/** `POST transit/decrypt/:name` */
export const DecryptResponse = z.object({ data: z.object({ plaintext: z.base64() }) });

/** `POST auth/token/create/:role` */
export const TokenResponse = z.object({
  auth: z.object({ client_token: z.string().min(1), accessor: z.string().min(1) }),
});

/** `GET database/creds/:role` */
export const DatabaseLoginResponse = z.object({
  /** Seconds. */
  lease_duration: z.number().positive(),
  data: z.object({ username: z.string().min(1), password: z.string().min(1) }),
});
