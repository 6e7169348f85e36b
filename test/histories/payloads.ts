/** A payload in the JSON form of a history: base64 throughout. */
export interface JsonPayload {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data?: string;
}

function isPayload(value: object): value is JsonPayload {
  const { metadata } = value as Partial<JsonPayload>;
  return typeof metadata === 'object' && metadata !== null && 'encoding' in metadata;
}

/** Replaces every payload below `value` by what `change` makes of it. */
export async function mapPayloads(
  value: unknown,
  change: (payload: JsonPayload) => Promise<JsonPayload>,
): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((part) => mapPayloads(part, change)));
  if (typeof value !== 'object' || value === null) return value;
  if (isPayload(value)) return change(value);
  const entries = Object.entries(value).map(async ([key, part]) => [key, await mapPayloads(part, change)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** The text of a payload's data. */
export function textOf({ data = '' }: JsonPayload): string {
  return Buffer.from(data, 'base64').toString('utf8');
}

export function withText(payload: JsonPayload, text: string): JsonPayload {
  return { ...payload, data: Buffer.from(text).toString('base64') };
}
