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

/** A fetch that keeps the numbers, counted from 1, of the requests that change something on the server. */
export function watchingFetch(): { readonly fetch: typeof fetch; readonly writes: readonly number[] } {
  const writes: number[] = [];
  let requests = 0;
  const watching: typeof fetch = (input, init) => {
    requests += 1;
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    if (init?.method !== 'GET' && !pathname.endsWith('/search')) writes.push(requests);
    return fetch(input, init);
  };
  return { fetch: watching, writes };
}
