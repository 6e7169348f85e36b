import type { FlagEvidence, FlagKind } from '../../contracts/misuse.ts';
import { QueryDistances } from './query-distances.ts';
import { ShareWindow } from './share-window.ts';

/** What a caller is measured by. */
export interface Thresholds {
  /** Least W of benign distances; 0: not looked at. */
  readonly minW: number;
  /** Largest share of rows unlike the training's data; 1: not looked at. */
  readonly maxStrangeShare: number;
}

export interface Suspicion {
  readonly kind: FlagKind;
  readonly evidence: FlagEvidence;
}

/** W costs a sort of the window; it changes little from one query to the next. */
const EVERY = 20;

/** What one caller asked of one model lately, and whether that looks like an attack. */
export class QueryDetector {
  /** Absent where rows are no points, as in a table. */
  readonly #distances: QueryDistances | undefined;
  readonly #strange = new ShareWindow();
  #rows = 0;

  constructor(shape: { readonly width: number; readonly classes: number }) {
    this.#distances = shape.width > 0 ? new QueryDistances(shape) : undefined;
  }

  /** @returns what the rows so far give rise to */
  add(
    row: { readonly values: Float32Array; readonly predicted: number; readonly strange: boolean },
    { minW, maxStrangeShare }: Thresholds,
  ): Suspicion | undefined {
    this.#rows += 1;
    this.#strange.add(row.strange);
    if (minW > 0) this.#distances?.add(row.values, row.predicted);
    if (this.#rows % EVERY > 0) return undefined;
    const share = this.#strange.share();
    if (share !== undefined && share > maxStrangeShare) {
      return {
        kind: 'out-of-distribution',
        evidence: { share, rows: this.#strange.count, threshold: maxStrangeShare },
      };
    }
    const distances = minW > 0 ? this.#distances : undefined;
    const w = distances?.w();
    if (distances === undefined || w === undefined || w >= minW) return undefined;
    return { kind: 'distance-distribution', evidence: { w, distances: distances.count, threshold: minW } };
  }
}
