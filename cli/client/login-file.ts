import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { readOptionalJson, saipHome } from './stack-file.ts';

/** What `saip login` remembers: a token that ends by itself, never the client's secret. */
const Login = z.object({
  apiUrl: z.url(),
  token: z.string(),
  /** Milliseconds since the epoch. */
  expiresAt: z.number(),
});
export type Login = z.infer<typeof Login>;

function loginPath(env: NodeJS.ProcessEnv): string {
  return join(saipHome(env), 'cli', 'token.json');
}

export function readLogin(env: NodeJS.ProcessEnv): Promise<Login | undefined> {
  return readOptionalJson(loginPath(env), Login);
}

export async function writeLogin(env: NodeJS.ProcessEnv, login: Login): Promise<void> {
  const path = loginPath(env);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, JSON.stringify(login), { mode: 0o600 });
}

export async function removeLogin(env: NodeJS.ProcessEnv): Promise<void> {
  await rm(loginPath(env), { force: true });
}
