/** Characters that a person does not see but a model reads; what each class is for is in docs/agents.md. */
const HIDDEN: readonly { readonly rule: string; readonly pattern: RegExp }[] = [
  // Tags (U+E0000 block) spell out ASCII invisibly: the carrier of "ASCII smuggling".
  { rule: 'unicode.tags', pattern: /[\u{E0000}-\u{E007F}]/gu },
  { rule: 'unicode.bidi', pattern: /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g },
  { rule: 'unicode.zero-width', pattern: /\u00AD|\u180E|\u200B|\u200C|\u200D|[\u2060-\u2064]|\uFEFF/g },
  // Variation selectors can carry bytes behind any visible character.
  { rule: 'unicode.selectors', pattern: /[\uFE00-\uFE0E]|[\u{E0100}-\u{E01EF}]/gu },
  // eslint's rule is about accidents; these are meant.
  { rule: 'unicode.control', pattern: /[\p{Cc}--[\t\n\r]]/gv },
];

const TAG_BASE = 0xe0000;

export interface Normalised {
  /** NFKC, without hidden characters. */
  readonly text: string;
  readonly rules: readonly string[];
  /** What tag characters spelled out, where there were any. */
  readonly smuggled?: string;
}

/**
 * The text as a person would read it: Unicode normalisation form KC (UAX #15), which also undoes full-width and
 * mathematical letters, without characters that cannot be seen.
 */
export function normalise(text: string): Normalised {
  const rules = HIDDEN.filter(({ pattern }) => new RegExp(pattern).test(text)).map(({ rule }) => rule);
  const visible = HIDDEN.reduce((rest, { pattern }) => rest.replace(pattern, ''), text).normalize('NFKC');
  const smuggled = decodeTags(text);
  return { text: visible, rules, ...(smuggled !== '' && { smuggled }) };
}

function decodeTags(text: string): string {
  return Array.from(text, (character) => (character.codePointAt(0) ?? 0) - TAG_BASE)
    .filter((code) => code >= 0x20 && code < 0x7f)
    .map((code) => String.fromCharCode(code))
    .join('');
}
