import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { AddDatasetResult, Upload } from '../../contracts/own-data.ts';
import { ApiClient } from '../client/index.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import { present } from '../render/output.ts';
import { renderProfile } from '../render/table-profile.ts';
import { addRequest } from './dataset-request.ts';
import type { AddOptions } from './dataset-request.ts';

/** As long as the API may take. */
const TIMEOUT_MS = 620_000;
const MIB = 2 ** 20;

/** `saip dataset add`: sends the file, lets the API read it, and shows what it found. */
export async function addDataset(io: Io, path: string, options: AddOptions): Promise<ExitCode> {
  const request = await addRequest(path, options);
  const { size } = await stat(path).catch((cause: unknown) => {
    throw new CliError(`cannot read ${path}`, { exitCode: EXIT.notFound, cause });
  });
  const api = await ApiClient.open(io.env);
  const call = { role: 'trainer', timeoutMs: TIMEOUT_MS } as const;
  const file = { bytes: bytesOf(io, path, size), type: 'text/csv' };
  const { sha256 } = await api.upload('/v1/datasets/uploads', file, Upload, call);
  writeLine(io.stderr, 'reading the table …');
  const result = await api.post('/v1/datasets', { ...request, upload: sha256 }, AddDatasetResult, call);
  present(io, options, result, ({ dataset: { name, version }, created, profile }) => {
    const first = created ? `added ${name}, version ${version}` : `${name} has this file as version ${version} already`;
    return [first, renderProfile(profile, io)].join('\n\n');
  });
  return EXIT.ok;
}

/** Reads the file as it is sent, and says how far it is. */
function bytesOf(io: Io, path: string, size: number): ReadableStream<Uint8Array> {
  let sent = 0;
  let shown = -1;
  const say = (done: boolean): void => {
    const percent = size === 0 ? 100 : Math.floor((sent / size) * 100);
    if (percent === shown && !done) return;
    shown = percent;
    const line = `sending ${(size / MIB).toFixed(1)} MiB, ${percent} %`;
    if (io.interactive) io.stderr.write(`\r${line}${done ? '\n' : ''}`);
    else if (done) writeLine(io.stderr, line);
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(path)) {
      const piece = chunk as Uint8Array;
      yield piece;
      sent += piece.byteLength;
      say(false);
    }
    say(true);
  }
  return Readable.toWeb(Readable.from(pieces(), { objectMode: false })) as ReadableStream<Uint8Array>;
}
