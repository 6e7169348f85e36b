import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { reportActivities } from '../../activities/extraction/report.ts';
import type { ExtractionReportRequest, LoggedRun } from '../../contracts/activities.ts';
import { Extraction } from '../../contracts/extraction.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import { ExtractionReport } from '../../lib/adversary/index.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { MLFLOW_TAGS, MlflowClient } from '../../lib/clients/index.ts';
import { stackEnv } from '../support/stack.ts';
import { failingFetch, watchingFetch } from './support/failing-fetch.ts';
import { inActivity } from './support/in-activity.ts';

const root = mkdtempSync(join(tmpdir(), 'saip-extraction-report-'));
const store = new ArtifactStore({ root });
const url = stackEnv('worker-cpu')['SAIP_MLFLOW_URL'] ?? '';
const mlflow = new MlflowClient({ url });
afterAll(() => rmSync(root, { recursive: true }));

const report = (client: MlflowClient, request: ExtractionReportRequest) => {
  const lock = <T>(_: string, work: () => Promise<T>): Promise<T> => work();
  return inActivity(reportActivities({ store, mlflow: client, urls: { mlflow: url }, lock }).reportExtraction, request);
};

const points = [100, 1_000].map((queries, index) => ({
  ...{ answers: 'probabilities' as const, queries, made: 0, seconds: 1 },
  fidelity: { value: 0.8 + 0.15 * index, low: 0.78 + 0.15 * index, high: 0.82 + 0.15 * index },
  accuracy: { value: 0.75, low: 0.7, high: 0.8 },
}));

let empty: ExtractionReportRequest['target']['onnx'];
beforeAll(async () => {
  empty = await store.putJson({});
});

function requestOf(): ExtractionReportRequest {
  const key = `extraction-${randomUUID()}`;
  const network = ModelConfig.parse({ name: 'tiny', layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }] });
  return {
    run: { key, runId: randomUUID(), requestedBy: 'ada' },
    target: {
      ...{ model: `m-${key.slice(-8)}`, version: '3', digest: 'd'.repeat(64), network },
      ...{ dataset: 'mnist', samples: 10_000, onnx: empty, manifest: empty, mlflowRunId: 'f'.repeat(32) },
    },
    configSha256: 'c'.repeat(64),
    extraction: Extraction.parse({ queries: [100, 1_000], answers: ['probabilities'], seed: 1 }),
    curve: {
      ...{ points, evaluated: 5_000, ownSamples: 5_000, substitute: 'tiny', deviceClass: 'cpu' },
      modelAccuracy: { value: 0.9, low: 0.89, high: 0.91 },
    },
    budgets: [{ answers: 'probabilities', threshold: 0.9, budgetRows: 100, reached: true }],
  };
}

/** What MLflow's REST interface says, past the client. */
async function ask<T>(path: string): Promise<T> {
  return (await (await fetch(`${url}/api/2.0/mlflow/${path}`)).json()) as T;
}

async function runsOf({ run, target }: ExtractionReportRequest): Promise<string[]> {
  const experimentId = await mlflow.runs.experiment(`${target.dataset}/${target.model}`);
  const found = await mlflow.runs.find(experimentId, { [MLFLOW_TAGS.runKey]: run.key });
  return found.map(({ runId }) => runId);
}

async function curveOf({ runId }: LoggedRun): Promise<[number, number][]> {
  const { metrics } = await ask<{ metrics: { step: number | string; value: number }[] }>(
    `metrics/get-history?run_id=${runId}&metric_key=fidelity_probabilities`,
  );
  return metrics.map(({ step, value }) => [Number(step), value]);
}

const CURVE = [
  [100, expect.closeTo(0.8, 9)],
  [1_000, expect.closeTo(0.95, 9)],
];

describe('the report of an extraction', () => {
  it('is in MLflow, below the run of the version, with its curve by queries and its files', async () => {
    const request = requestOf();
    const { report: files, mlflow: logged } = await report(mlflow, request);
    const run = await mlflow.runs.get(logged.runId);
    expect(run).toMatchObject({
      status: 'FINISHED',
      tags: {
        'mlflow.parentRunId': 'f'.repeat(32),
        'saip.attacked.version': '3',
        'saip.extraction.budget.probabilities': '100',
        'mlflow.note.content': expect.stringContaining('| probabilities'),
      },
    });
    expect(logged.url).toBe(`${url}/#/experiments/${logged.experimentId}/runs/${logged.runId}`);
    expect(await curveOf(logged)).toEqual(CURVE);
    const stored = await mlflow.artifacts.download(run.artifactUri, 'extraction/report.json');
    expect(ExtractionReport.parse(JSON.parse(String(stored)))).toMatchObject({
      ...{ model: request.target.model, modelVersion: '3', workflowId: request.run.key },
      curve: request.curve,
    });
    const plot = await mlflow.artifacts.download(run.artifactUri, 'extraction/curve.png');
    expect(plot?.equals(await store.read(files.plot))).toBe(true);
  });

  it('is one run with one curve, whether an attempt died once it had made the run, later, or at its end', async () => {
    const { fetch: watched, writes } = watchingFetch();
    await report(new MlflowClient({ url, fetch: watched }), requestOf());
    const deaths = [writes[1], writes[writes.length >> 1], writes.at(-1)] as number[];
    await Promise.all(
      deaths.map(async (number) => {
        const request = requestOf();
        const dying = new MlflowClient({ url, retries: 0, fetch: failingFetch(number) });
        await expect(report(dying, request)).rejects.toMatchObject({ code: 'MLFLOW_UNAVAILABLE' });
        const { mlflow: logged } = await report(mlflow, request);
        expect({ number, runs: await runsOf(request) }).toEqual({ number, runs: [logged.runId] });
        expect(await curveOf(logged)).toEqual(CURVE);
      }),
    );
  }, 120_000);
});
