import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { TableProfile } from '../../../contracts/table-profile.ts';
import type { TableSchema } from '../../../contracts/table.ts';
import { detectDelimiter } from './delimiter.ts';
import { gather } from './gather.ts';
import { inferSchema } from './infer.ts';
import { measure } from './measure.ts';
import type { TableOptions } from '../../../contracts/own-data.ts';
import { Problems, quote } from './problems.ts';
import { warningsOf } from './warnings.ts';

export interface AnalyseOptions {
  readonly path: string;
  /** What the file is called in messages, and its `@id` in the card. */
  readonly file: string;
  readonly options: TableOptions;
  readonly signal?: AbortSignal;
  /** 0..1, after each piece of the file. */
  readonly onProgress?: (share: number) => void;
}

export interface AnalysedTable {
  readonly schema: TableSchema;
  readonly profile: TableProfile;
}

/** Bytes in which the delimiter is looked for. */
const HEAD = 1 << 16;
const READINGS = 2;

/**
 * Reads a CSV file twice, in constant memory: once for what its columns are, once to measure them.
 * @throws DatasetError `DATASET_TABLE_INVALID` with up to 20 problems, each naming file, line and column
 */
export async function analyse({ path, file, options, signal, onProgress }: AnalyseOptions): Promise<AnalysedTable> {
  const problems = new Problems(file);
  const { size: bytes } = await stat(path);
  const delimiter = options.delimiter ?? detectDelimiter(await head(path));
  let read = 0;
  const hash = createHash('sha256');
  async function* chunks(first: boolean): AsyncGenerator<Buffer> {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      const piece = chunk as Buffer;
      if (first) hash.update(piece);
      read += piece.length;
      onProgress?.(bytes === 0 ? 1 : read / bytes / READINGS);
      yield piece;
    }
  }
  const evidence = await gather(chunks(true), { options, delimiter, problems, signal });
  const inferred = inferSchema(evidence, { options, delimiter, file, problems });
  const measured = await measure(chunks(false), { evidence, inferred, problems, signal });
  const warnings = warningsOf(evidence, measured);
  if (options.delimiter === undefined && delimiter !== ',') {
    warnings.unshift({ kind: 'delimiter', message: `the delimiter ${quote(delimiter)} was found by itself` });
  }
  const profile = TableProfile.parse({
    ...{ version: 1, sha256: hash.digest('hex'), bytes, rows: evidence.rows },
    ...measured,
    warnings,
  });
  return { schema: inferred.schema, profile };
}

async function head(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
