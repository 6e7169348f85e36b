import type { Finding } from './finding.ts';

/** Shorter values would be found in ordinary words. */
const SHORTEST = 8;

/**
 * The secrets this process holds, by value: whatever the format, they are found again, also as base64, hexadecimal or in
 * a URL. Never serialised, never logged.
 */
export class SecretRegistry {
  readonly #needles = new Map<string, string>();

  /** @param name what a redaction says instead, e.g. `database-password` */
  add(name: string, value: string): void {
    if (value.length < SHORTEST) return;
    const bytes = Buffer.from(value, 'utf8');
    const forms = [
      value,
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
      bytes.toString('hex'),
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
    ];
    for (const form of forms) this.#needles.set(form, `secret.registered.${name}`);
  }

  remove(value: string): void {
    const name = this.#needles.get(value);
    if (name === undefined) return;
    const copy = new SecretRegistry();
    copy.add('', value);
    for (const form of copy.#needles.keys()) this.#needles.delete(form);
  }

  find(text: string): Finding[] {
    const found: Finding[] = [];
    for (const [needle, rule] of this.#needles) {
      for (let start = text.indexOf(needle); start >= 0; start = text.indexOf(needle, start + needle.length)) {
        found.push({ rule, start, end: start + needle.length });
      }
    }
    return found;
  }
}
