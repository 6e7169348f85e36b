import type { CpuActivities } from '../../contracts/activities.ts';
import { measureActivities } from './measure.ts';
import type { MeasureDependencies } from './measure.ts';
import { reportActivities } from './report.ts';
import type { ReportDependencies } from './report.ts';

export { createExtractShardActivities } from './shard.ts';
export type { ShardDependencies } from './shard.ts';

export type ExtractionDependencies = MeasureDependencies & ReportDependencies;

type ExtractionActivities = Pick<CpuActivities, 'summariseExtraction' | 'recordExtraction' | 'reportExtraction'>;

/** Extractions, but for the substitutes: those are the GPU pool's. */
export function createExtractionActivities(dependencies: ExtractionDependencies): ExtractionActivities {
  return { ...measureActivities(dependencies), ...reportActivities(dependencies) };
}
