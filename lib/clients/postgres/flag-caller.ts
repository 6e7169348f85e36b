import type { AuditLog } from './audit-log.ts';
import type { MisuseFlags, NewFlag } from './misuse-flags.ts';

export interface FlaggingClients {
  readonly flags: Pick<MisuseFlags, 'raise'>;
  readonly audit: Pick<AuditLog, 'append'>;
}

/**
 * Flags a caller for a model, with a record of why.
 * @returns false where the same flag is open already
 * @throws DatabaseError
 */
export async function flagCaller({ flags, audit }: FlaggingClients, flag: NewFlag): Promise<boolean> {
  if (!(await flags.raise(flag))) return false;
  const { subject: actor, model, kind, evidence } = flag;
  const numbers = Object.entries(evidence).map(([name, value]): [string, string] => [name, String(value)]);
  const entry = { actor, action: 'misuse:flag', subject: `model:${model}`, decision: 'deny' };
  await audit.append({ ...entry, detail: { kind, ...Object.fromEntries(numbers) } });
  return true;
}
