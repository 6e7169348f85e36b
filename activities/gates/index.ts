import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import { thresholdGates } from '../../lib/evaluation/index.ts';
import { compareWithChampion } from './champion.ts';
import type { ChampionDependencies } from './champion.ts';

export type GatesDependencies = ChampionDependencies;

export function createGatesActivities(dependencies: GatesDependencies): Pick<CpuActivities, 'decideGates'> {
  return {
    /**
     * Metric thresholds, then the champion. The subject digest is that of a stored JSON artifact naming what a person
     * is asked to approve: the model to be served, its evaluation, its data and what the gates said.
     */
    async decideGates({ registerAs, gates, data, evaluated, exported, robustness }) {
      const results = thresholdGates(evaluated.summary, gates);
      if (gates.champion === 'not-worse') {
        const options = { signal: cancellationSignal(), onProgress: heartbeat };
        results.push(await compareWithChampion({ registerAs, data, evaluated, exported }, dependencies, options));
      }
      if (robustness !== undefined) results.push(robustness);
      const subject = await dependencies.store.putJson({
        model: registerAs,
        onnxSha256: exported.onnx.sha256,
        reportSha256: evaluated.report.sha256,
        dataManifestSha256: data.manifest.sha256,
        gates: results,
      });
      return { results, subjectDigest: subject.sha256 };
    },
  };
}
