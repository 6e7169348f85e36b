import { timingSafeEqual } from 'node:crypto';
import canonicalize from 'canonicalize';
import { SaipError } from '../../contracts/errors.ts';
import type { KeptStep } from '../clients/index.ts';

/**
 * HMAC-SHA-256 of a text as `vault:v<version>:<base64>`, under a key that this process does not have: the newest version
 * of it, or the one that made `like`.
 */
export type StepHmac = (text: string, like?: string) => Promise<string>;

const FORM = /^vault:v[1-9]\d{0,8}:[A-Za-z0-9+/]{43}=$/;

/** Canonical JSON (RFC 8785) of everything that an entry says. */
export function sealedText(step: Omit<KeptStep, 'mac'>): string {
  const { key, tenant, stage, output, artifacts, material, workflowId, runId } = step;
  const said = { schema: 1, key, tenant, stage, output, artifacts, material, workflowId, runId };
  // As the database gives it back: without what JSON leaves out.
  return canonicalize(JSON.parse(JSON.stringify(said))) ?? '';
}

/** Whether one who may use the key vouched for the entry as it is. @throws the errors of `hmac`, but a refusal */
export async function isSealed(step: KeptStep, hmac: StepHmac): Promise<boolean> {
  const { mac } = step;
  if (mac === undefined || !FORM.test(mac)) return false;
  try {
    const expected = Buffer.from(await hmac(sealedText(step), mac));
    const found = Buffer.from(mac);
    return expected.length === found.length && timingSafeEqual(expected, found);
  } catch (error) {
    // A version of the key that there never was.
    if (error instanceof SaipError && error.code === 'SECRET_REJECTED') return false;
    throw error;
  }
}
