import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { MetricInterval } from '../../contracts/train-register-deploy.ts';
import { interval } from './bootstrap.ts';

/**
 * A share with its 95 % percentile bootstrap interval, as the metrics of an evaluation have it. Same hits and seed: same
 * numbers.
 *
 * @param hits 1 or 0 for each sample
 */
export function share(
  hits: Uint8Array,
  { seed, resamples = 1000 }: { seed: number; resamples?: number },
): MetricInterval {
  const random = xoroshiro128plus(seed);
  const draws = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let draw = 0; draw < hits.length; draw += 1) sum += hits[uniformInt(random, 0, hits.length - 1)] ?? 0;
    return sum / hits.length;
  });
  const all = hits.reduce((sum, hit) => sum + hit, 0);
  return interval(all / hits.length, draws.sort());
}
