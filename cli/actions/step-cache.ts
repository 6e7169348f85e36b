import { StepCollection, StepList } from '../../contracts/step-cache.ts';
import { ApiClient } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { formatBytes } from '../render/bytes.ts';
import { renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';

export interface ListStepsOptions extends OutputOptions {
  readonly stage?: string;
}

/** Hexadecimal digits of a key that a table shows. */
const SHORT_KEY = 12;

export async function listSteps(io: Io, { stage, ...options }: ListStepsOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get('/v1/step-cache', StepList, { role: 'viewer', query: { stage } });
  present(io, options, list, ({ entries }) => {
    if (entries.length === 0) return 'no kept results; the stages of a training leave some';
    const rows = entries.map((entry) => [
      entry.key.slice(0, SHORT_KEY),
      entry.stage,
      entry.workflowId,
      formatBytes(entry.bytes),
      entry.uses,
      formatTime(entry.usedAt),
      formatTime(entry.expiresAt),
    ]);
    return renderTable(['key', 'stage', 'made by', 'size', 'uses', 'last used', 'expires'], rows, io);
  });
  return EXIT.ok;
}

export async function collectSteps(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const collection = await api.post('/v1/step-cache/collect', undefined, StepCollection, { role: 'admin' });
  present(io, options, collection, ({ entries, uploads, artifacts, freedBytes, keptArtifacts }) => {
    const kept = keptArtifacts === 0 ? '' : `; ${String(keptArtifacts)} artifacts stay, something else refers to them`;
    const removed = `${String(entries)} expired results and ${String(uploads)} unused files removed`;
    return `${removed}, ${formatBytes(freedBytes)} in ${String(artifacts)} artifacts freed${kept}`;
  });
  return EXIT.ok;
}
