import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { WorkflowStarted } from '../../contracts/api.ts';
import { ScoreUpload, type ScoreRequest } from '../../contracts/batch-score.ts';
import { ApiClient, path } from '../client/index.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { followWorkflow } from '../follow/index.ts';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import { present } from '../render/output.ts';
import type { OutputOptions } from '../render/output.ts';
import { reportStarted } from './started.ts';
import type { StartedOptions } from './started.ts';

export interface ScoreOptions extends StartedOptions {
  /** Its champion, or another alias as MODEL@ALIAS. */
  readonly model: string;
  /** File that the predictions are written to, once they are there. */
  readonly output?: string;
  readonly idempotencyKey?: string;
}

const LINES = /\.(?:ndjson|jsonl)$/i;
const CALL = { role: 'predictor' } as const;

/** `saip score`: sends the file, starts `batchScore`, and with `--output` waits for the predictions. */
export async function scoreFile(io: Io, file: string, options: ScoreOptions): Promise<ExitCode> {
  const [model = '', alias, ...rest] = options.model.split('@');
  if (model === '' || rest.length > 0) throw usageError('--model is NAME or NAME@ALIAS');
  await stat(file).catch((cause: unknown) => {
    throw new CliError(`cannot read ${file}`, { exitCode: EXIT.notFound, cause });
  });
  const format = LINES.test(file) ? 'ndjson' : 'csv';
  const api = await ApiClient.open(io.env);
  const bytes = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>;
  const type = format === 'csv' ? 'text/csv' : 'application/x-ndjson';
  const { sha256: upload } = await api.upload('/v1/score-files', { bytes, type }, ScoreUpload, CALL);
  const body: z.input<typeof ScoreRequest> = { model, upload, format, ...(alias !== undefined && { alias }) };
  const { idempotencyKey: key, output } = options;
  const started = await api.post('/v1/workflows/batch-score', body, WorkflowStarted, {
    ...CALL,
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
  if (output === undefined) return reportStarted(io, api, started, options);
  const { exitCode } = await followWorkflow(io, api, started.workflowId, options);
  if (exitCode === EXIT.ok) await download(io, api, { id: started.workflowId, part: 'predictions', output });
  return exitCode;
}

export interface PredictionsOptions extends OutputOptions {
  /** Default: standard output. */
  readonly output?: string;
  /** The refused records instead. */
  readonly refused?: boolean;
}

/** `saip predictions`: what a file was scored with. */
export async function readPredictions(io: Io, id: string, options: PredictionsOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { output } = options;
  const part = options.refused === true ? 'refused' : 'predictions';
  await download(io, api, { id, part, output });
  // Without a file the lines of JSON are the answer.
  if (output !== undefined && options.json === true) present(io, options, { workflowId: id, part, output }, () => '');
  return EXIT.ok;
}

interface Download {
  readonly id: string;
  readonly part: 'predictions' | 'refused';
  readonly output: string | undefined;
}

/** A file appears whole, or not at all. */
async function download(io: Io, api: ApiClient, { id, part, output }: Download): Promise<void> {
  const body = Readable.fromWeb(
    await api.download(path`/v1/workflows/${id}/predictions`, {
      ...CALL,
      query: { part },
      headers: { accept: 'application/x-ndjson' },
    }),
  );
  if (output === undefined) {
    await pipeline(
      body,
      new Writable({ write: (chunk: Uint8Array, _, done) => void io.stdout.write(chunk, () => done()) }),
    );
    return;
  }
  const partial = `${output}.partial`;
  try {
    await pipeline(body, createWriteStream(partial));
    await rename(partial, output);
  } catch (cause) {
    await rm(partial, { force: true });
    throw new CliError('the predictions did not arrive whole', { hint: `Try again: saip predictions ${id}`, cause });
  }
  writeLine(io.stderr, `${part} are in ${output}`);
}
