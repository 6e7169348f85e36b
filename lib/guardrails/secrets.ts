import { matches } from './finding.ts';
import type { Finding } from './finding.ts';

/** Formats that name themselves. The prefixes are those the issuers document. */
const FORMATS: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ['secret.private-key', /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g],
  ['secret.jwt', /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g],
  ['secret.aws-access-key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g],
  ['secret.github', /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})\b/g],
  ['secret.gitlab', /\bglpat-[\w-]{20,}/g],
  ['secret.slack', /\bxox[abeoprs]-[\w-]{10,}/g],
  ['secret.llm-api-key', /\bsk-(?:ant-|proj-|or-)?[\w-]{20,}/g],
  ['secret.google-api-key', /\bAIza[\w-]{35}/g],
  ['secret.stripe', /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/g],
  ['secret.npm', /\bnpm_[A-Za-z0-9]{36}\b/g],
  ['secret.huggingface', /\bhf_[A-Za-z0-9]{30,}\b/g],
  ['secret.saip-api-key', /\bsaip_[a-z2-7]{12}_[\w-]{51}/g],
  ['secret.vault-token', /\bhv[sbr]\.[\w-]{20,}|\b[sb]\.[A-Za-z0-9]{24}\b/g],
  ['secret.url-password', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{1,64}:[^\s@/]{3,128}@[^\s/]*/gi],
  ['secret.authorization', /\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+[\w.~+/=-]{8,}/gi],
];

/** A name that promises a secret, followed by a value. */
const ASSIGNMENT =
  /\b(?:password|passwd|pwd|secret|token|api[ _-]?key|access[ _-]?key|client[ _-]?secret)\b["']?\s*(?:[:=]|\bis\b)\s*["']?([^\s"',;]{8,256})/gi;

/** Long runs of mixed characters. */
const RUN = /[A-Za-z0-9+/_-]{32,512}={0,2}/g;

/** Bits a character. English prose has about 4.1 over its own letters, but never over 32 mixed characters in a row. */
const RUN_ENTROPY = 4.2;
const ASSIGNED_ENTROPY = 2.8;

/** Shannon entropy of the characters of `text`, in bits a character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / text.length;
    return sum - share * Math.log2(share);
  }, 0);
}

/** What looks like a secret, whoever it belongs to. Hexadecimal digests are none: the platform shows them everywhere. */
export function findSecrets(text: string): Finding[] {
  return [
    ...FORMATS.flatMap(([rule, pattern]) => matches(rule, pattern, text)),
    ...assigned(text),
    ...matches('secret.high-entropy', RUN, text).filter(({ start, end }) => isRandom(text.slice(start, end))),
  ];
}

function assigned(text: string): Finding[] {
  return [...text.matchAll(ASSIGNMENT)].flatMap(({ index, 0: match, 1: value = '' }) => {
    const end = index + match.length;
    const looksRandom = /\d|[^A-Za-z0-9]/.test(value) && entropy(value) >= ASSIGNED_ENTROPY;
    return looksRandom ? [{ rule: 'secret.assignment', start: end - value.length, end }] : [];
  });
}

function isRandom(run: string): boolean {
  if (/^[0-9a-f-]+$/i.test(run)) return false;
  const mixed = /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run);
  return mixed && entropy(run) >= RUN_ENTROPY;
}
