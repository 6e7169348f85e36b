import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { CliError } from '../errors.ts';

const CHECKOUT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The part of `$SAIP_HOME/stack.json` that clients need. */
const StackFile = z.object({
  urls: z.object({
    api: z.url(),
    temporalUi: z.url().optional(),
    mlflow: z.url().optional(),
    docs: z.url().optional(),
  }),
});
export type StackUrls = z.infer<typeof StackFile>['urls'];

/** State directory of the stack: `SAIP_HOME`, or `.saip` in the checkout. */
export function saipHome(env: NodeJS.ProcessEnv): string {
  const home = env.SAIP_HOME;
  return home === undefined || home === '' ? join(CHECKOUT, '.saip') : resolve(home);
}

/** Reads a JSON file that may not be there. @throws CliError for one that is there but unusable. */
export async function readOptionalJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError(`cannot read ${path}`, { hint: 'Check its owner and permissions.', cause: error });
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new CliError(`${path} is damaged`, { hint: 'Run saip doctor.', cause: error });
  }
}

/** Addresses of the local stack, or `undefined` where none was started. */
export async function readStackUrls(env: NodeJS.ProcessEnv): Promise<StackUrls | undefined> {
  const file = await readOptionalJson(join(saipHome(env), 'stack.json'), StackFile);
  return file?.urls;
}
