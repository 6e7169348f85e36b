import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { WorkflowList, WorkflowStarted } from '../../../contracts/api.ts';
import type { WorkflowDetail } from '../../../contracts/api.ts';
import { SearchResult } from '../../../contracts/search.ts';
import { MlflowClient } from '../../../lib/clients/index.ts';
import { ArtifactStore } from '../../../lib/artifacts/index.ts';
import type { FullStack } from './full-stack.ts';

const MINUTES = 60_000;
const PARENT = 'mlflow.parentRunId';

/** Tests of searches, on a stack that other tests use, too. */
export function searchTests(stack: () => FullStack): void {
  it(
    'of a regression compares RMSE, and leaves a table, curves and a run for each trial',
    async () => {
      const id = await start(stack(), {
        train: { model: 'diabetes-linear', registerAs: 'searched', gates: { maxRmse: 80, minR2: 0, champion: 'off' } },
        budget: { trials: 3, maxEpochs: 30, minEpochs: 10, eta: 3, parallel: 2, minutes: 5 },
      });
      const { result } = await stack().until(id, ({ status }) => status === 'completed');
      const { trials, report, mlflow: logged, ...found } = SearchResult.parse(result);
      expect(found).toMatchObject({ outcome: 'completed', objective: 'rmse', rungs: [10, 30] });
      const measures = trials.flatMap(({ measures: [first] }) => first ?? []);
      expect(measures).toHaveLength(3);
      // In the unit of the target, a measure of disease between 25 and 346: no training can do better than about 40.
      for (const { rmse = 0, r2 = 1, accuracy } of measures) {
        expect(rmse > 30 && rmse < 1000 && r2 < 0.7).toBe(true);
        expect(accuracy).toBeUndefined();
      }
      const promoted = trials.filter((trial) => trial.measures.length === 2);
      const best = Math.min(...promoted.map((trial) => trial.measures[1]?.rmse ?? Infinity));
      expect(trials.find(({ state }) => state === 'won')?.measures[1]?.rmse).toBe(best);
      expect(found.trained).toMatchObject({ outcome: 'completed', registered: { model: 'searched', version: '1' } });

      const config = stack().config('worker-cpu');
      const artifacts = new ArtifactStore({ root: config.artifacts });
      const markdown = (await artifacts.read(report!.markdown)).toString('utf8');
      expect(markdown).toContain('won by validation RMSE');
      expect(markdown).toContain('| trial | state | epochs | RMSE | R² | configuration |');
      expect((await artifacts.read(report!.plot!)).subarray(1, 4).toString('latin1')).toBe('PNG');
      const mlflow = new MlflowClient({ url: config.mlflow.url });
      const children = await mlflow.runs.find(logged!.experimentId, { [PARENT]: logged!.runId });
      // One a trial, and the training of the winner.
      expect(children).toHaveLength(4);
    },
    5 * MINUTES,
  );

  it(
    'that is cancelled cancels its trials, and leaves a report and nothing that runs',
    async () => {
      const id = await start(stack(), {
        train: { model: 'mnist-mlp', registerAs: 'searched-in-vain' },
        budget: { trials: 6, parallel: 2, minutes: 5 },
      });
      await stack().until(id, inFlight);
      await stack().cancel(id, 'not needed any more');
      const { result } = await stack().until(id, ({ status }) => status !== 'running');
      const { outcome, reasons, trials, winner, report } = SearchResult.parse(result);
      expect({ outcome, winner }).toEqual({ outcome: 'cancelled', winner: undefined });
      expect(reasons.join()).toContain('not needed any more');
      expect(trials.map(({ reason }) => reason)).toEqual(['cut off', 'cut off']);
      expect(report).toBeDefined();
      const query = { type: 'runTrial', status: 'running' };
      const { workflows } = await stack().api.get('/v1/workflows', WorkflowList, { role: 'viewer', query });
      expect(workflows).toEqual([]);
      expect(childrenOf(stack().pid('worker-gpu'))).toEqual([]);
      const registered = await stack().api.get('/v1/models', z.unknown(), { role: 'viewer' });
      expect(JSON.stringify(registered)).not.toContain('searched-in-vain');
    },
    5 * MINUTES,
  );
}

async function start(stack: FullStack, request: object): Promise<string> {
  const role = { role: 'trainer' as const };
  const started = await stack.api.post('/v1/workflows/search-hyperparameters', request, WorkflowStarted, role);
  return started.workflowId;
}

/** Both trials that may run at a time do. */
function inFlight({ progress }: WorkflowDetail): boolean {
  const search = progress?.stages.find(({ name }) => name === 'search');
  return /in flight: 1 .*, 2 /.test(search?.detail ?? '');
}

function childrenOf(pid: number | undefined): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
}
