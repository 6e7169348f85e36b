import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { isSaipError } from '../../contracts/errors.ts';
import type { BaoClient } from '../clients/index.ts';

/** The part of OpenBao's transit engine that a key set needs. */
export type Transit = Pick<BaoClient, 'transitPublicKeys' | 'transitSign'>;

export interface TransitKeySetOptions {
  readonly transit: Transit;
  /** Name of an `ecdsa-p256` transit key. */
  readonly key: string;
  /** Keys are read again after this time; default five minutes. A new version signs at the latest then. */
  readonly maxAgeMs?: number;
  /** While OpenBao is away known keys go on verifying for this long; default one hour. */
  readonly maxStaleMs?: number;
  /** Least time between two reads that an unknown key id asks for; default ten seconds. */
  readonly refreshFloorMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface PublicKey {
  readonly kid: string;
  readonly version: number;
  readonly jwk: JWK;
  readonly key: KeyObject;
}

interface Snapshot {
  readonly byKid: ReadonlyMap<string, PublicKey>;
  readonly signer: PublicKey;
  readonly readAt: number;
}

/**
 * The versions of one transit key: the newest signs, all usable ones verify, so that a rotation overlaps by itself until
 * the old version is retired in OpenBao. Key ids are RFC 7638 thumbprints. Methods throw BaoError.
 */
export class TransitKeySet {
  readonly #options: Required<TransitKeySetOptions>;
  #snapshot: Snapshot | undefined;
  #reading: Promise<Snapshot> | undefined;

  constructor(options: TransitKeySetOptions) {
    this.#options = {
      maxAgeMs: 300_000,
      maxStaleMs: 3_600_000,
      refreshFloorMs: 10_000,
      now: Date.now,
      ...options,
    };
  }

  /** Compact JWS (RFC 7515) over `claims`, ES256, with `typ` and `kid` in its header. */
  async sign(typ: string, claims: Readonly<Record<string, unknown>>): Promise<string> {
    const { signer } = await this.#current();
    try {
      return await this.#signWith(signer, typ, claims);
    } catch (error) {
      if (!isSaipError(error) || error.code !== 'SECRET_REJECTED') throw error;
      // The version may have been retired since the keys were read.
      const { signer: newest } = await this.#read();
      if (newest.kid === signer.kid) throw error;
      return await this.#signWith(newest, typ, claims);
    }
  }

  /** The public key with this id; undefined when there is none. */
  async find(kid: string): Promise<KeyObject | undefined> {
    const snapshot = await this.#current();
    const found = snapshot.byKid.get(kid);
    if (found !== undefined) return found.key;
    if (this.#options.now() - snapshot.readAt < this.#options.refreshFloorMs) return undefined;
    return (await this.#read()).byKid.get(kid)?.key;
  }

  /** Whether keys read recently hold this id; no request is made. */
  knows(kid: string): boolean {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || this.#options.now() - snapshot.readAt >= this.#options.maxAgeMs) return false;
    return snapshot.byKid.has(kid);
  }

  /** JSON Web Key Set (RFC 7517) of every usable version. */
  async jwks(): Promise<{ keys: JWK[] }> {
    const { byKid } = await this.#current();
    return { keys: [...byKid.values()].map(({ jwk, kid }) => ({ ...jwk, kid, use: 'sig', alg: 'ES256' })) };
  }

  async #signWith(signer: PublicKey, typ: string, claims: Readonly<Record<string, unknown>>): Promise<string> {
    const input = `${encode({ alg: 'ES256', typ, kid: signer.kid })}.${encode(claims)}`;
    const { signature } = await this.#options.transit.transitSign(this.#options.key, Buffer.from(input), {
      marshaling: 'jws',
      keyVersion: signer.version,
    });
    return `${input}.${signature.toString('base64url')}`;
  }

  async #current(): Promise<Snapshot> {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return await this.#read();
    const age = this.#options.now() - snapshot.readAt;
    if (age < this.#options.maxAgeMs) return snapshot;
    try {
      return await this.#read();
    } catch (error) {
      const away = isSaipError(error) && error.spec.retryable;
      if (away && age < this.#options.maxStaleMs) return snapshot;
      throw error;
    }
  }

  /** Concurrent callers share one request. */
  async #read(): Promise<Snapshot> {
    this.#reading ??= this.#load().finally(() => {
      this.#reading = undefined;
    });
    return await this.#reading;
  }

  async #load(): Promise<Snapshot> {
    const { latest, keys } = await this.#options.transit.transitPublicKeys(this.#options.key);
    const entries = await Promise.all(
      keys.map(async ({ version, pem, jwk }) => ({
        kid: await calculateJwkThumbprint(jwk),
        version,
        jwk,
        key: createPublicKey(pem),
      })),
    );
    const signer = entries.find((entry) => entry.version === latest);
    if (signer === undefined)
      throw new Error(`Transit key ${this.#options.key} has no public key of its latest version.`);
    this.#snapshot = {
      byKid: new Map(entries.map((entry) => [entry.kid, entry])),
      signer,
      readAt: this.#options.now(),
    };
    return this.#snapshot;
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
