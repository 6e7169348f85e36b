/** Cuts `items` into contiguous parts whose sizes differ by one at most, and returns the part at `index`. */
export function part<T extends Uint32Array>(items: T, index: number, parts: number): T {
  const bound = (position: number): number => Math.floor((items.length * position) / parts);
  return items.subarray(bound(index), bound(index + 1)) as T;
}
