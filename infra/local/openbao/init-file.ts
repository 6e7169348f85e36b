import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { StackLayout } from '../layout.ts';
import { writeJson } from '../state.ts';

/** `secrets/bao-init.json`: what opens the vault of this stack after a restart. */
const InitFile = z.object({
  /** Unseal keys, base64. */
  keys: z.array(z.string()).min(1),
  /** Only until the supervisor has a login of its own; then it is revoked. */
  rootToken: z.string().optional(),
  supervisor: z.object({ roleId: z.string(), secretId: z.string() }).optional(),
});
export type InitFile = z.infer<typeof InitFile>;

const path = (layout: StackLayout): string => join(layout.secrets, 'bao-init.json');

/** @returns undefined when the vault was not initialised by this stack */
export async function readInitFile(layout: StackLayout): Promise<InitFile | undefined> {
  try {
    return InitFile.parse(JSON.parse(await readFile(path(layout), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function writeInitFile(layout: StackLayout, content: InitFile): void {
  writeJson(path(layout), content, 0o600);
}
