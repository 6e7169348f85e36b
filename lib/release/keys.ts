import { createPublicKey } from 'node:crypto';
import { keyHint } from '../supplychain/index.ts';

const PEM = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----/g;

/** Public keys in the text of a file, as PEM in one spelling. What is not a public key is passed over. */
export function publicKeysIn(text: string): string[] {
  return (text.match(PEM) ?? []).flatMap((pem) => {
    try {
      return [createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString()];
    } catch {
      return [];
    }
  });
}

/** Fingerprint by which people compare keys: SHA-256 of the PEM, the hint in a Sigstore bundle. */
export const fingerprint = keyHint;
