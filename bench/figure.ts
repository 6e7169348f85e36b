/** One line of the report. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  readonly target: string;
  readonly met: boolean;
  /** What one must know to read the number. */
  readonly detail: string;
}

/** A module `bench/<name>/suite.ts` exports one of these as `suite`. */
export interface Suite {
  readonly title: string;
  /** `say` tells what is being done, as a run takes minutes. */
  run(say: (line: string) => void): Promise<Figure[]>;
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] =
    sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1);
  return (low + high) / 2;
}
