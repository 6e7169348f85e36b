import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { BaoClient, TransitPublicKeys } from '../../lib/clients/index.ts';
import { BaoError } from '../../lib/clients/index.ts';

type TransitKey = Pick<BaoClient, 'transitPublicKeys' | 'transitSign'>;

interface Version {
  readonly version: number;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** One ECDSA P-256 key in versions, with the semantics of a transit key of OpenBao, inside this process. */
export class LocalTransit implements TransitKey {
  readonly #versions: Version[] = [];
  #oldest = 1;
  /** Requests so far. */
  reads = 0;
  /** Answers like a server that is away. */
  away = false;

  constructor() {
    this.rotate();
  }

  rotate(): void {
    this.#versions.push({ version: this.#versions.length + 1, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) });
  }

  /** Withdraws every version before the newest. */
  retireOld(): void {
    this.#oldest = this.#versions.length;
  }

  async transitPublicKeys(): Promise<TransitPublicKeys> {
    this.#request();
    const keys = this.#usable().map(({ version, publicKey }) => ({
      version,
      pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      jwk: publicKey.export({ format: 'jwk' }),
      createdAt: '2026-01-01T00:00:00Z',
    }));
    return { latest: this.#versions.length, keys };
  }

  async transitSign(
    _key: string,
    message: Uint8Array,
    options: { readonly marshaling: 'jws' | 'asn1'; readonly keyVersion?: number },
  ): Promise<{ signature: Buffer; keyVersion: number }> {
    this.#request();
    const wanted = options.keyVersion ?? this.#versions.length;
    const found = this.#usable().find(({ version }) => version === wanted);
    if (found === undefined) throw new BaoError('SECRET_REJECTED', 'The key version is retired.');
    const dsaEncoding = options.marshaling === 'jws' ? 'ieee-p1363' : 'der';
    return { signature: sign('sha256', message, { key: found.privateKey, dsaEncoding }), keyVersion: wanted };
  }

  #usable(): readonly Version[] {
    return this.#versions.filter(({ version }) => version >= this.#oldest);
  }

  #request(): void {
    if (this.away) throw new BaoError('SECRET_UNAVAILABLE', 'OpenBao is not available.');
    this.reads += 1;
  }
}

export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}
