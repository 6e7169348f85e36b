import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ExtractionList, WorkflowDetail, WorkflowStarted } from '../../contracts/api.ts';
import { BudgetSuggestion } from '../../contracts/extraction.ts';
import type { AnswerKind, ExtractionPoint } from '../../contracts/extraction.ts';
import { LimitList, LimitView } from '../../contracts/limits.ts';
import { World } from '../workflows/support/world.ts';
import { createNamespace } from './support/namespace.ts';
import { problemOf, startApi, type TestApi } from './support/harness.ts';
import { openRegistry, type TestRegistry } from './support/registry.ts';
import { until } from './support/until.ts';
import { startWorkers, type TestWorkers } from './support/workers.ts';

const MODEL = 'copied-api';
const START = '/v1/workflows/measure-extraction';
const BUDGET = `/v1/models/${MODEL}/budget`;

let api: TestApi;
let workers: TestWorkers;
let registry: TestRegistry;
let version: Awaited<ReturnType<TestRegistry['register']>>;
beforeAll(async () => {
  const namespace = await createNamespace();
  api = await startApi({ TEMPORAL_NAMESPACE: namespace });
  workers = await startWorkers(namespace, new World().activities());
  registry = await openRegistry();
  version = await registry.register(MODEL, Buffer.from('not loaded here'));
});
afterAll(async () => {
  await api.call('POST', '/v1/limits/remove', { role: 'admin', json: { kind: 'everybody', model: MODEL } });
  await registry.close();
  await api.stop();
  await workers.stop();
});

const point = (answers: AnswerKind, queries: number, value: number): ExtractionPoint => {
  const fidelity = { value, low: value - 0.01, high: value + 0.01 };
  return { answers, queries, made: 0, fidelity, accuracy: fidelity, seconds: 1 };
};

/** @returns id of the curve */
async function keep(run: string, points: ExtractionPoint[]): Promise<number | undefined> {
  const training = { epochs: 10, minSteps: 800, batchSize: 64, learningRate: 0.002 };
  const modelAccuracy = { value: 0.98, low: 0.97, high: 0.99 };
  await registry.extractions.append({
    ...{ model: MODEL, version: version.version, digest: version.digest, configSha256: 'c'.repeat(64) },
    ...{ workflowId: 'extraction-test', runId: run, mlflowRunId: 'none' },
    extraction: { queries: [100, 300], answers: ['probabilities', 'labels'], step: 0.1, seed: 7, training },
    curve: { points, evaluated: 100, ownSamples: 100, substitute: 'tiny', modelAccuracy, deviceClass: 'cpu' },
  });
  return (await registry.extractions.newest(MODEL))?.id;
}

const problem = async (...call: Parameters<TestApi['call']>) => problemOf(await api.call(...call));
const suggestion = async (query = ''): Promise<BudgetSuggestion> =>
  BudgetSuggestion.parse((await api.call('GET', `${BUDGET}${query}`, { role: 'auditor' })).body);

describe('a measurement', () => {
  it('is started by the red team and runs to its end', async () => {
    const json = { model: MODEL, queries: [100, 300], threshold: 0.95 };
    const answer = await api.call('POST', START, { role: 'redteam', json });
    expect(answer.status).toBe(202);
    const { workflowId } = WorkflowStarted.parse(answer.body);
    const done = await until('its end', async () => {
      const { body } = await api.call('GET', `/v1/workflows/${workflowId}`, { role: 'viewer' });
      const detail = WorkflowDetail.parse(body);
      return detail.status !== 'running' && detail;
    });
    expect(done).toMatchObject({
      type: 'measureExtraction',
      status: 'completed',
      result: { outcome: 'completed', threshold: 0.95, budgets: [{ answers: 'probabilities' }, { answers: 'labels' }] },
    });
  });

  it('is refused of what does not exist, and to who may not', async () => {
    expect(await problem('POST', START, { role: 'redteam', json: { model: 'nope' } })).toMatchObject({ status: 404 });
    const preset = { model: MODEL, substitute: 'nope' };
    expect(await problem('POST', START, { role: 'redteam', json: preset })).toMatchObject({ code: 'PRESET_UNKNOWN' });
    expect(await problem('POST', START, { role: 'trainer', json: { model: MODEL } })).toMatchObject({ status: 403 });
  });
});

describe('a budget', () => {
  it('is not suggested before there is a curve', async () => {
    const unmeasured = { status: 404, code: 'EXTRACTION_UNMEASURED' };
    expect(await problem('GET', BUDGET, { role: 'auditor' })).toMatchObject(unmeasured);
    expect(await problem('POST', BUDGET, { role: 'admin', json: {} })).toMatchObject(unmeasured);
    expect(await problem('GET', '/v1/models/nope/budget', { role: 'auditor' })).toMatchObject({
      code: 'MODEL_UNKNOWN',
    });
    expect(await problem('GET', BUDGET, { role: 'viewer' })).toMatchObject({ status: 403 });
  });

  it('comes from the newest curve, and names it when it is set', async () => {
    await keep('first', [point('probabilities', 100, 0.5)]);
    const curve = await keep('second', [
      point('probabilities', 100, 0.7),
      point('probabilities', 300, 0.92),
      point('labels', 100, 0.6),
      point('labels', 300, 0.7),
    ]);
    const { body } = await api.call('GET', `/v1/extractions?model=${MODEL}`, { role: 'viewer' });
    expect(ExtractionList.parse(body).extractions.map(({ runId }) => runId)).toEqual(['second', 'first']);
    expect(await suggestion()).toMatchObject({
      budgetRows: 100,
      reached: true,
      source: { answers: 'probabilities', curve },
    });
    expect(await suggestion('?answers=labels')).toMatchObject({ budgetRows: 300, reached: false });
    expect((await suggestion('?threshold=0.6')).budgetRows).toBeUndefined();

    await api.call('POST', '/v1/limits', { role: 'admin', json: { kind: 'everybody', model: MODEL, rate: 7 } });
    const applied = await api.call('POST', BUDGET, { role: 'admin', json: { answers: 'labels', threshold: 0.8 } });
    expect(LimitView.parse(applied.body)).toMatchObject({
      ...{ kind: 'everybody', model: MODEL, rate: 7, budgetRows: 300, setBy: 'local-admin' },
      budgetSource: { curve, runId: 'second', version: version.version, answers: 'labels', threshold: 0.8 },
    });
    const refused = await problem('POST', BUDGET, { role: 'admin', json: { threshold: 0.6 } });
    expect(refused).toMatchObject({ status: 409, code: 'EXTRACTION_NO_BUDGET' });
    expect(await problem('POST', BUDGET, { role: 'auditor', json: {} })).toMatchObject({ status: 403 });
  });

  it('that a person sets names no curve', async () => {
    const json = { kind: 'everybody', model: MODEL, budgetRows: 5000 };
    await api.call('POST', '/v1/limits', { role: 'admin', json });
    const { limits } = LimitList.parse((await api.call('GET', '/v1/limits', { role: 'auditor' })).body);
    const own = limits.find(({ model }) => model === MODEL);
    expect(own).toMatchObject({ budgetRows: 5000 });
    expect(own?.budgetSource).toBeUndefined();
  });
});
