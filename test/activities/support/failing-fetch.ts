/** A fetch whose `number`-th request, counted from 1, loses its answer after the server acted; then the caller is dead. */
export function failingFetch(number: number): typeof fetch {
  let requests = 0;
  return async (...request) => {
    requests += 1;
    if (requests < number) return fetch(...request);
    if (requests === number) await (await fetch(...request)).arrayBuffer();
    throw new TypeError('fetch failed');
  };
}

/** A fetch that counts. */
export function countingFetch(): { readonly fetch: typeof fetch; readonly requests: () => number } {
  let requests = 0;
  const counting: typeof fetch = (...request) => {
    requests += 1;
    return fetch(...request);
  };
  return { fetch: counting, requests: () => requests };
}
