import { verify, type KeyObject } from 'node:crypto';

/** R and S of a signature with P-256, as a JWS holds them side by side (RFC 7518 section 3.4). */
export const SIGNATURE_BYTES = 64;

/**
 * Whether `signature` (R and S) is one of `data` by SHA-256 and the P-256 key. Verified in a thread of the pool, so that
 * this one can do something else meanwhile: Node's own call does that for far less than Web Cryptography.
 */
export function isSignedBy(key: KeyObject, data: Buffer, signature: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // Without options around the key, in which Node would look for one at the cost of two exceptions a call.
    verify('sha256', data, key, derOf(signature), (error, valid) => {
      if (error === null) resolve(valid);
      else reject(error);
    });
  });
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** ECDSA-Sig-Value of RFC 3279 section 2.2.3. */
function derOf(signature: Buffer): Buffer {
  const half = signature.length / 2;
  const numbers = [integer(signature.subarray(0, half)), integer(signature.subarray(half))];
  return tagged(SEQUENCE, Buffer.concat(numbers));
}

/** A number without a sign as the shortest two's complement. */
function integer(digits: Buffer): Buffer {
  const first = digits.findIndex((byte) => byte !== 0);
  const least = first < 0 ? digits.subarray(-1) : digits.subarray(first);
  const negative = (least[0] ?? 0) >= 0x80;
  return tagged(INTEGER, negative ? Buffer.concat([Buffer.of(0), least]) : least);
}

/** With a length of one byte, which holds all that are possible here. */
function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag, content.length), content]);
}
