import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { ApiClient } from '../client/index.ts';
import { path } from '../client/index.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';

const LINES = /\.(?:ndjson|jsonl)$/i;
/** What the last line of an answer holds that could not go on. */
const LastWords = z.object({ error: z.object({ code: z.string(), detail: z.string() }) });

/**
 * `saip predict MODEL --file FILE --stream`: `POST /v1/models/{model}/score`. Prints one line of JSON a record while the
 * file is sent; memory does not grow with it.
 */
export async function scoreFile(io: Io, api: ApiClient, model: string, file: string): Promise<ExitCode> {
  await access(file).catch((error: unknown) => {
    throw usageError(`cannot read the file: ${error instanceof Error ? error.message : String(error)}`);
  });
  const type = LINES.test(file) ? 'application/x-ndjson' : 'text/csv';
  const bytes = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>;
  const answer = await api.exchange(path`/v1/models/${model}/score`, { bytes, type }, { role: 'predictor' });
  const decoder = new TextDecoder();
  let rest = '';
  let whole = true;
  try {
    for await (const piece of answer) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) await print(io, line);
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    whole = false;
  }
  if (whole && rest === '') return EXIT.ok;
  throw new CliError('the answer ended before its end', {
    hint: 'Send the rest of the file again: saip logs api tells more.',
  });
}

async function print(io: Io, line: string): Promise<void> {
  const failed = line.startsWith('{"error":') ? LastWords.safeParse(JSON.parse(line)) : undefined;
  if (failed?.success === true) throw new CliError(failed.data.error.detail, { code: failed.data.error.code });
  if (!io.stdout.write(`${line}\n`)) await once(io.stdout, 'drain');
}
