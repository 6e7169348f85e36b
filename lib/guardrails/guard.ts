import { matches, redact, rulesOf } from './finding.ts';
import type { Finding } from './finding.ts';
import { findInjections } from './injection.ts';
import type { SecretRegistry } from './registry.ts';
import { findSecrets } from './secrets.ts';
import { normalise } from './unicode.ts';

/** `redact`: the text goes on without what was found; `block`: nothing goes on. */
export interface Screening<T = string> {
  readonly action: 'allow' | 'redact' | 'block';
  readonly value: T;
  /** Ids of the rules that found something, sorted. */
  readonly rules: readonly string[];
}

/** Where an answer could carry data out when a browser shows it: links, images, markup. */
const OUTPUT: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ['output.link', /!?\[[^\]\n]{0,200}\]\([^)\n]{0,2000}\)|\b(?:https?|ftp|file|data|javascript):[^\s<>"')\]]+/gi],
  ['output.markup', /<\/?[a-z][^>\n]{0,2000}>/gi],
];

/** A hostile answer could be nested for as long as it likes. */
const DEEPEST = 12;

/**
 * The filters between people, model and tools. Each is deterministic and local: no filter asks a model. Text is
 * normalised first, so that a rule sees what a person would read.
 */
export class Guard {
  readonly #registry: Pick<SecretRegistry, 'find'>;

  constructor(options: { readonly registry: Pick<SecretRegistry, 'find'> }) {
    this.#registry = options.registry;
  }

  /** What a person asks: secrets and injections block it. */
  question(text: string): Screening {
    const normal = normalise(text);
    const hidden = normal.smuggled === undefined ? [] : ['unicode.tags'];
    const found = [
      ...this.#secrets(normal.text),
      ...findInjections(normal.text, 'question'),
      ...findInjections(normal.smuggled ?? '', 'question'),
    ];
    const rules = merge(normal.rules, hidden, rulesOf(found));
    if (found.length > 0 || hidden.length > 0) return { action: 'block', value: '', rules };
    return { action: normal.rules.length > 0 ? 'redact' : 'allow', value: normal.text, rules };
  }

  /**
   * What a tool returned, as JSON: in strings a secret is cut out, and a string that gives orders is replaced whole,
   * since what is left of it could still be one. Keys are filtered like values.
   */
  data(value: unknown): Screening<unknown> {
    const rules = new Set<string>();
    const filtered = this.#walk(value, rules, 0);
    return { action: rules.size > 0 ? 'redact' : 'allow', value: filtered, rules: [...rules].sort() };
  }

  /** What the model wrote on its way: secrets and hidden characters are cut out. */
  thought(text: string): Screening {
    return this.#cut(text, []);
  }

  /** What a person will read: also without links and markup. */
  answer(text: string): Screening {
    return this.#cut(text, OUTPUT);
  }

  #cut(text: string, patterns: typeof OUTPUT): Screening {
    const normal = normalise(text);
    const found = [
      ...this.#secrets(normal.text),
      ...patterns.flatMap(([rule, pattern]) => matches(rule, pattern, normal.text)),
    ];
    const rules = merge(normal.rules, rulesOf(found));
    return { action: rules.length > 0 ? 'redact' : 'allow', value: redact(normal.text, found), rules };
  }

  #secrets(text: string): Finding[] {
    return [...this.#registry.find(text), ...findSecrets(text)];
  }

  #walk(value: unknown, rules: Set<string>, depth: number): unknown {
    if (typeof value === 'string') return this.#string(value, rules);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= DEEPEST) {
      rules.add('data.too-deep');
      return '[removed: data.too-deep]';
    }
    if (Array.isArray(value)) return value.map((entry) => this.#walk(entry, rules, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [this.#string(key, rules), this.#walk(entry, rules, depth + 1)]),
    );
  }

  #string(text: string, rules: Set<string>): string {
    const { value, rules: cut } = this.#cut(text, []);
    const orders = findInjections(value, 'data').concat(findInjections(normalise(text).smuggled ?? '', 'data'));
    for (const rule of merge(cut, rulesOf(orders))) rules.add(rule);
    return orders.length === 0 ? value : `[removed: ${rulesOf(orders).join(', ')}]`;
  }
}

function merge(...lists: (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].sort();
}
