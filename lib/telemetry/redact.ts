/** Names of fields whose values are not logged, at any depth. */
const SECRET_NAME =
  /^(?:.*(?:password|passphrase|secret|credential|private[_-]?key|api[_-]?key|authorization|cookie).*|.*token|jws|jwt)$/i;
/** Secrets that are known by their form: JWS and JWT, tokens of OpenBao, bearer headers, passwords in URLs. */
const SECRET_VALUE =
  /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?:hv[sbr]|[sbr])\.[A-Za-z0-9_-]{20,}|(?<=\bBearer )[\w.~+/=-]{8,}|(?<=:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g;
const CENSORED = '[redacted]';
const MAX_DEPTH = 8;

/** A copy for the log, without the values of fields that hold secrets by their name. */
export function redactFields(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) return depth >= MAX_DEPTH ? '[…]' : value.map((item) => redactFields(item, depth + 1));
  if (!isPlain(value)) return value;
  if (depth >= MAX_DEPTH) return '{…}';
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      SECRET_NAME.test(name) && field !== undefined ? CENSORED : redactFields(field, depth + 1),
    ]),
  );
}

/** Censors what looks like a secret, wherever it stands. */
export function redactText(text: string): string {
  return text.replace(SECRET_VALUE, CENSORED);
}

/** Classes have serialisers of their own. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
