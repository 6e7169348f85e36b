/** Something a rule found in a text, by its position in UTF-16 units. */
export interface Finding {
  /** Documented in docs/agents.md, e.g. `secret.jwt`. */
  readonly rule: string;
  readonly start: number;
  readonly end: number;
}

/** What was found is replaced by the name of the rule, so that a reader knows that, and why, something is missing. */
export function redact(text: string, findings: readonly Finding[]): string {
  let result = '';
  let position = 0;
  for (const { rule, start, end } of merge(findings)) {
    result += `${text.slice(position, start)}[removed: ${rule}]`;
    position = end;
  }
  return result + text.slice(position);
}

/** In order; of findings that overlap the first keeps its name and takes the length of all. */
function merge(findings: readonly Finding[]): Finding[] {
  const ordered = findings.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const merged: Finding[] = [];
  for (const finding of ordered) {
    const last = merged.at(-1);
    if (last === undefined || finding.start >= last.end) merged.push(finding);
    else merged[merged.length - 1] = { ...last, end: Math.max(last.end, finding.end) };
  }
  return merged;
}

/** Every match of `pattern`, which must have the flag `g`. */
export function matches(rule: string, pattern: RegExp, text: string): Finding[] {
  return [...text.matchAll(pattern)].map(({ index, 0: match }) => ({ rule, start: index, end: index + match.length }));
}

export function rulesOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ rule }) => rule))].sort();
}
