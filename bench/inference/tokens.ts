import { createPrivateKey, generateKeyPairSync, randomUUID, sign, type JsonWebKey } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { AUDIENCE, ISSUER } from './orders.ts';

export interface BenchKey {
  readonly publicKey: JsonWebKey;
  readonly privateKey: JsonWebKey;
  /** RFC 7638 thumbprint, by which the platform knows a key. */
  readonly kid: string;
}

export async function makeKey(): Promise<BenchKey> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ format: 'jwk' });
  return {
    publicKey,
    privateKey: pair.privateKey.export({ format: 'jwk' }),
    kid: await calculateJwkThumbprint(publicKey),
  };
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Makes access tokens (RFC 9068), each with an id of its own; all of them verify. */
export function tokenMaker(jwk: JsonWebKey, { kid, ...claims }: Readonly<Record<string, unknown>>): () => string {
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  const header = encode({ alg: 'ES256', typ: 'at+jwt', kid });
  const iat = Math.floor(Date.now() / 1000);
  return () => {
    const payload = {
      iss: ISSUER,
      aud: AUDIENCE,
      ...claims,
      client_id: 'bench',
      jti: randomUUID(),
      iat,
      exp: iat + 900,
    };
    const text = `${header}.${encode(payload)}`;
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  };
}
