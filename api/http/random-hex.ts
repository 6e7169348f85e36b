import { randomBytes } from 'node:crypto';

/** Bytes fetched at once: a call of the generator costs more than the bytes. */
const POOL = 4096;

let pool = Buffer.alloc(0);
let used = 0;

/** `bytes` random bytes as lower-case hexadecimal digits. For ids, not for keys: the pool lies in memory. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    pool = randomBytes(POOL);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}
