import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

export interface TransitPublicKey {
  readonly version: number;
  /** SubjectPublicKeyInfo (RFC 7468). */
  readonly pem: string;
  /** Bare public key (RFC 7517): `kty` and its parameters only. */
  readonly jwk: JsonWebKey;
  readonly createdAt: string;
}

/** `keys` is ordered by version; `latest` is the version that signs by default. */
export interface TransitPublicKeys {
  readonly latest: number;
  readonly keys: readonly TransitPublicKey[];
}

const KeyResponse = z.object({
  data: z.object({
    latest_version: z.int().positive(),
    keys: z.record(z.string(), z.object({ public_key: z.string().min(1), creation_time: z.string() })),
  }),
});

/** Reads the answer of `GET transit/keys/:name` for an asymmetric key. */
export function parsePublicKeys(answer: unknown): TransitPublicKeys {
  const { data } = KeyResponse.parse(answer);
  const keys = Object.entries(data.keys)
    .map(([version, entry]) => {
      const key = publicKey(entry.public_key);
      return {
        version: Number(version),
        pem: key.export({ type: 'spki', format: 'pem' }).toString(),
        jwk: key.export({ format: 'jwk' }),
        createdAt: entry.creation_time,
      };
    })
    .sort((a, b) => a.version - b.version);
  return { latest: data.latest_version, keys };
}

/** PEM, but of Ed25519 keys OpenBao gives the 32 bytes in base64. */
function publicKey(text: string): KeyObject {
  if (text.startsWith('-----')) return createPublicKey(text);
  const x = Buffer.from(text, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
