/** What must not be in a saved history, whatever field it hides in. */
const FORBIDDEN: Readonly<Record<string, RegExp>> = {
  'a path of the machine': /(?:^|[\s"'(:=])\/(?:home|root|tmp|usr|var|work|opt|Users)\//,
  'a signed statement': /eyJ[\w-]{8,}\.[\w-]+\.[\w-]{20,}/,
  'a key of OpenBao': /vault:v\d+:/,
};

const PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  identity: 'worker@host',
  stackTrace: '',
  stack_trace: '',
  jws: 'e30.e30.c2NydWJiZWQ',
};

/** Replaces what names the machine, and what proved somebody's approval; the rest stays as it was. */
export function scrub(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scrub);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, key in PLACEHOLDERS ? PLACEHOLDERS[key] : scrub(sticky(part))]),
  );
}

/** A sticky queue is named after its worker. */
function sticky(part: unknown): unknown {
  const queue = part as { kind?: string } | null;
  return queue?.kind === 'TASK_QUEUE_KIND_STICKY' ? { ...queue, name: 'worker@host-sticky' } : part;
}

/** @returns what is found in `text` that has no place in a repository */
export function findings(text: string): string[] {
  return Object.entries(FORBIDDEN).flatMap(([what, pattern]) => {
    const found = pattern.exec(text);
    return found === null ? [] : [`${what}: ${found[0].trim()}`];
  });
}
