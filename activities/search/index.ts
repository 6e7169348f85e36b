import { cancellationSignal } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import { planTrials } from '../../lib/search/index.ts';
import { logSearch } from './log.ts';
import type { SearchDependencies } from './log.ts';
import { writeReport } from './report.ts';

export type { SearchDependencies } from './log.ts';

/** Searches, but for their trials: those are trained by the GPU pool. */
export function createSearchActivities(
  dependencies: SearchDependencies,
): Pick<CpuActivities, 'planSearch' | 'reportSearch'> {
  return {
    planSearch: async ({ search }) => ({ trials: planTrials(search) }),

    /** Every write finds what an earlier attempt left: one run of the search, one a trial, each point once. */
    async reportSearch(request) {
      const { store, lock } = dependencies;
      const written = await writeReport(request, store);
      const mlflow = dependencies.mlflow.with(cancellationSignal());
      const logged = await lock(`mlflow:run:${request.run.key}`, () =>
        logSearch(request, written, { ...dependencies, mlflow }),
      );
      return { report: written.report, mlflow: logged };
    },
  };
}
