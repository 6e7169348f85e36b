import type { Protection } from '../../contracts/misuse.ts';
import { ROLES, type Role } from '../../contracts/roles.ts';

/** What was set for a model and a role; without a role for every one. */
export interface ProtectionRow {
  readonly model: string;
  readonly role?: Role | undefined;
  readonly settings: Protection;
}

/**
 * What a model tells somebody with these roles. Of the roles each replaces single settings of those before it in the
 * order of the list of roles, and the row for all those of the configuration.
 */
export function protectionOf<D extends Protection>(
  defaults: D,
  rows: readonly ProtectionRow[],
  { model, roles }: { readonly model: string; readonly roles: readonly string[] },
): D & Protection {
  const order = [undefined, ...ROLES.filter((role) => roles.includes(role))];
  const settings = order.flatMap((role) =>
    rows.filter((row) => row.model === model && row.role === role).map((row) => row.settings),
  );
  return Object.assign({}, defaults, ...settings) as D & Protection;
}
