/**
 * What a workflow sees in place of a payload that was not encrypted with a key of the platform. No contract accepts it,
 * so an update that carries it is refused and a start fails at once. Failing the workflow task instead would let any
 * client stop a run with one unencrypted message.
 */
export const UNDECRYPTABLE = { 'saip:undecryptable': true } as const;

export function isUndecryptable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'saip:undecryptable' in value;
}
