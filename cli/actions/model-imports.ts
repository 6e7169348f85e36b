import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { z } from 'zod';
import { WorkflowStarted } from '../../contracts/api.ts';
import { ModelCard, ModelUpload } from '../../contracts/import-model.ts';
import type { ImportRequest, ScanReport, ValueSummary } from '../../contracts/import-model.ts';
import { isSaipError } from '../../contracts/errors.ts';
import { scanOnnx } from '../../lib/onnx/index.ts';
import { ApiClient } from '../client/index.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { reportStarted } from './started.ts';
import type { StartedOptions } from './started.ts';

export interface ImportOptions extends StartedOptions {
  readonly card: string;
  readonly as?: string;
  readonly minAccuracy?: number;
  readonly approval?: boolean;
  readonly rollout?: boolean;
  readonly idempotencyKey?: string;
}

/** `saip models import`: scans the file here, sends it, and starts `importModel`. */
export async function importModel(io: Io, path: string, options: ImportOptions): Promise<ExitCode> {
  const card = await readCard(options.card);
  // What is refused anyway is not sent first.
  await scanned(path);
  const api = await ApiClient.open(io.env);
  const bytes = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
  const call = { role: 'trainer' } as const;
  const file = { bytes, type: 'application/onnx' };
  const { sha256 } = await api.upload('/v1/models/imports', file, ModelUpload, call);
  const { as, minAccuracy, approval, rollout, idempotencyKey: key } = options;
  const body: z.input<typeof ImportRequest> = {
    upload: sha256,
    card,
    ...(as !== undefined && { registerAs: as }),
    ...(minAccuracy !== undefined && { gates: { minAccuracy } }),
    ...(approval === true && { approval: { required: true } }),
    ...(rollout === false && { rollout: false }),
  };
  const started = await api.post('/v1/workflows/import-model', body, WorkflowStarted, {
    ...call,
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
  return reportStarted(io, api, started, options);
}

/** `saip models scan`: judges a file by its structure, on this machine alone. */
export async function scanFile(io: Io, path: string, options: OutputOptions): Promise<ExitCode> {
  const report = await scanned(path);
  present(io, options, { verdict: 'allowed', ...report }, () => renderScan(report, io));
  return EXIT.ok;
}

async function scanned(path: string): Promise<ScanReport> {
  await stat(path).catch((cause: unknown) => {
    throw new CliError(`cannot read ${path}`, { exitCode: EXIT.notFound, cause });
  });
  try {
    return await scanOnnx(path);
  } catch (error) {
    if (!isSaipError(error)) throw error;
    const { code, message, spec } = error;
    throw new CliError(message, { exitCode: EXIT.usage, code, hint: spec.hint, cause: error });
  }
}

function renderScan(report: ScanReport, io: Io): string {
  const { bytes, irVersion, producer, opsets, operators, nodes, tensors, elements } = report;
  return [
    renderPairs([
      ['verdict', 'allowed'],
      ['bytes', bytes],
      ['producer', producer],
      ['format', `IR ${irVersion}, ${opsets.map(({ domain, version }) => `${domain} ${version}`).join(', ')}`],
      ['nodes', nodes],
      ['tensors', `${tensors} of ${elements} elements`],
      ['inputs', report.inputs.map(described).join(', ')],
      ['outputs', report.outputs.map(described).join(', ')],
    ]),
    renderTable(
      ['operator', 'domain', 'nodes'],
      operators.map(({ domain, name, count }) => [name, domain, count]),
      io,
    ),
  ].join('\n\n');
}

function described({ name, type, shape }: ValueSummary): string {
  return `${name}: ${type}${shape === undefined ? '' : ` [${shape.join(', ')}]`}`;
}

async function readCard(path: string): Promise<z.input<typeof ModelCard>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CliError(`cannot read ${path}`, { exitCode: EXIT.notFound, cause });
  });
  const card = parse(text, path);
  const checked = ModelCard.safeParse(card);
  if (checked.success) return card as z.input<typeof ModelCard>;
  const issues = checked.error.issues.map(({ path: field, message }) => `${field.join('.') || 'card'}: ${message}`);
  throw usageError(`${path}: ${issues.join('; ')}`, 'docs/import.md describes every field.');
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usageError(`${path} is no JSON`, 'docs/import.md shows a card.');
  }
}
