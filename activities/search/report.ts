import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { SearchReportRequest } from '../../contracts/activities.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { SearchResult } from '../../contracts/search.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { drawSearch, parseHistory } from '../../lib/evaluation/index.ts';
import type { HistoryPoint, TrialCurve } from '../../lib/evaluation/index.ts';
import { SearchReport, renderSearch } from '../../lib/search/index.ts';

export interface WrittenReport {
  readonly report: NonNullable<SearchResult['report']>;
  /** Path below the run → file. */
  readonly files: Readonly<Record<string, ArtifactRef>>;
  /** Trial → its history; empty for one that was never measured. */
  readonly histories: ReadonlyMap<number, readonly HistoryPoint[]>;
  readonly markdown: string;
}

/** Table and curves in the artifact store. @throws ArtifactError, EvaluationError, HeavyError */
export async function writeReport(request: SearchReportRequest, store: ArtifactStore): Promise<WrittenReport> {
  const { run, search, rungs, trials, spent, winner, outcome, reasons } = request;
  const report = SearchReport.parse({
    version: 1,
    workflowId: run.key,
    requestedBy: run.requestedBy,
    search,
    rungs,
    trials,
    spent,
    winner,
    outcome,
    reasons,
  });
  const histories = await readHistories(request, store);
  const markdown = renderSearch(report);
  const written = {
    json: await store.putJson(report),
    markdown: await store.put(Buffer.from(markdown), { mediaType: 'text/markdown' }),
  };
  const files = { 'search/report.json': written.json, 'search/report.md': written.markdown };
  const curves = trials.map(({ trial, state }) => curveOf(trial, state, histories.get(trial) ?? []));
  if (curves.every(({ points }) => points.length === 0)) return { report: written, files, histories, markdown };
  heartbeat('curves');
  const title = `Search: ${search.train.registerAs}`;
  const picture = await drawSearch(
    { title, objective: search.objective, rungs, trials: curves },
    { signal: cancellationSignal() },
  );
  const svg = await store.put(Buffer.from(picture.svg), { mediaType: 'image/svg+xml' });
  const plot = await store.put(picture.png, { mediaType: 'image/png' });
  return {
    report: { ...written, plot },
    files: { ...files, 'search/curves.svg': svg, 'search/curves.png': plot },
    histories,
    markdown,
  };
}

async function readHistories(
  { trials, histories }: SearchReportRequest,
  store: ArtifactStore,
): Promise<Map<number, readonly HistoryPoint[]>> {
  const read = new Map<number, readonly HistoryPoint[]>();
  for (const { trial } of trials) {
    const ref = histories[String(trial)];
    read.set(trial, ref === undefined ? [] : parseHistory((await store.read(ref)).toString('utf8')));
  }
  return read;
}

function curveOf(trial: number, state: string, history: readonly HistoryPoint[]): TrialCurve {
  const points = history.flatMap(({ epoch, valLoss: loss, valAccuracy: accuracy, valRmse: rmse, valR2: r2 }) =>
    loss === undefined ? [] : [{ epoch, ...(rmse === undefined ? { loss, accuracy } : { rmse, r2 }) }],
  );
  return { trial, state, points };
}
