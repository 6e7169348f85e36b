import type { z } from 'zod';
import { ExtractionList, WorkflowStarted } from '../../contracts/api.ts';
import { ExtractionRequest } from '../../contracts/extraction.ts';
import { ApiClient } from '../client/index.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { assign, parseAssignment } from './assignments.ts';
import { reportStarted } from './started.ts';

/** Options of `saip attack extract`. */
export interface ExtractOptions {
  readonly modelVersion?: string;
  readonly queries?: readonly number[];
  readonly answers?: string;
  readonly ownSamples?: number;
  readonly substitute?: string;
  readonly threshold?: number;
  readonly seed?: number;
  readonly set?: readonly string[];
  readonly follow?: boolean;
  readonly idempotencyKey?: string;
  readonly json?: boolean;
}

/** The request as its sender writes it: the server fills in the defaults. */
export type ExtractionRequestBody = z.input<typeof ExtractionRequest>;

/**
 * Builds the body of `POST /v1/workflows/measure-extraction` from options, with `--set` last.
 * @throws CliError `usage` that names every wrong field.
 */
export function buildExtractionRequest(model: string, options: ExtractOptions): ExtractionRequestBody {
  const { queries, answers } = options;
  const given = [
    [['version'], options.modelVersion],
    [['queries'], queries === undefined ? undefined : [...new Set(queries)].sort((a, b) => a - b)],
    [['answers'], answers === undefined ? undefined : [answers]],
    [['ownSamples'], options.ownSamples],
    [['substitute'], options.substitute],
    [['threshold'], options.threshold],
    [['seed'], options.seed],
  ] as const;
  const assignments = given.flatMap(([path, value]) => (value === undefined ? [] : [{ path, value }]));
  const body = assign({ model }, [...assignments, ...(options.set ?? []).map(parseAssignment)]);
  const checked = ExtractionRequest.safeParse(body);
  if (checked.success) return body as ExtractionRequestBody;
  const issues = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`);
  throw usageError(issues.join('; '), 'docs/adversarial-lab.md describes every field.');
}

/** `saip attack extract`: starts `measureExtraction` and, with `--follow`, shows it to its end. */
export async function startExtraction(io: Io, model: string, options: ExtractOptions): Promise<ExitCode> {
  const body = buildExtractionRequest(model, options);
  const api = await ApiClient.open(io.env);
  const key = options.idempotencyKey;
  const started = await api.post('/v1/workflows/measure-extraction', body, WorkflowStarted, {
    role: 'redteam',
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
  return reportStarted(io, api, started, options);
}

export interface CurvesOptions extends OutputOptions {
  readonly model?: string;
  readonly limit?: number;
  readonly pageToken?: string;
}

/** `saip attack curves` */
export async function listExtractions(io: Io, options: CurvesOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { model, limit, pageToken } = options;
  const list = await api.get('/v1/extractions', ExtractionList, { role: 'viewer', query: { model, limit, pageToken } });
  present(io, options, list, ({ extractions, nextPageToken }) => {
    if (extractions.length === 0) return 'no curves; measure one with saip attack extract mnist-cnn';
    const rows = extractions.flatMap(({ id, model: name, version, curve, workflowId, at }) =>
      curve.points.map(({ answers, queries, fidelity }, index) => [
        ...(index === 0 ? [String(id), formatTime(at), name, version, workflowId] : ['', '', '', '', '']),
        answers,
        String(queries),
        `${fidelity.value.toFixed(3)} [${fidelity.low.toFixed(3)}, ${fidelity.high.toFixed(3)}]`,
      ]),
    );
    const head = ['curve', 'time', 'model', 'version', 'workflow', 'answers', 'queries', 'fidelity'];
    const table = renderTable(head, rows, io);
    return nextPageToken === undefined ? table : `${table}\nmore: --page-token ${nextPageToken}`;
  });
  return EXIT.ok;
}
