import { QueryDetector, QueryDistances, type Suspicion } from '../../lib/misuse/index.ts';
import type { Images } from './data.ts';
import type { SoftmaxRegression } from './softmax.ts';
import type { Stream } from './traffic.ts';

export interface Watched {
  readonly kind: string;
  /** The smallest W on the way. */
  readonly leastW: number;
  /** Queries until the flag; undefined without one. */
  readonly flaggedAfter: number | undefined;
  readonly flag: Suspicion['kind'] | undefined;
}

/** As often as the detector looks. */
const EVERY = 20;

/** What the platform's detector makes of one caller's queries. */
export function watch(
  { kind, rows }: Stream,
  { side }: Images,
  victim: SoftmaxRegression,
  { minW, maxStrangeShare, unlike }: { minW: number; maxStrangeShare: number; unlike: (x: Float32Array) => boolean },
): Watched {
  const shape = { width: side ** 2, classes: 10 };
  const detector = new QueryDetector(shape);
  const distances = new QueryDistances(shape);
  let leastW = 1;
  let found: { flaggedAfter: number; flag: Suspicion['kind'] } | undefined;
  for (const [index, values] of rows.entries()) {
    const predicted = victim.predict(values);
    distances.add(values, predicted);
    if ((index + 1) % EVERY === 0) leastW = Math.min(leastW, distances.w() ?? 1);
    if (found !== undefined) continue;
    const suspicion = detector.add({ values, predicted, strange: unlike(values) }, { minW, maxStrangeShare });
    if (suspicion !== undefined) found = { flaggedAfter: index + 1, flag: suspicion.kind };
  }
  return { kind, leastW, flaggedAfter: found?.flaggedAfter, flag: found?.flag };
}
