/** The bytes of several streams, one after the other; each is opened when the one before it is at its end. */
export async function* joinStreams<T>(
  sources: Iterable<T>,
  open: (source: T) => AsyncIterable<Uint8Array>,
  onDone: (done: number) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for (const source of sources) {
    yield* open(source);
    done += 1;
    onDone(done);
  }
}
