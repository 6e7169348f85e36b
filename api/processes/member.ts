import { AggregatorRegistry, type Registry } from 'prom-client';
import type { Caller } from '../http/route.ts';
import { Downward, type Upward } from './messages.ts';

/** What one of several processes of the API shares with the others. */
export interface Member {
  /** Tells the others of a session; without a caller it has ended. */
  readonly publish: (fingerprint: string, caller: Caller | undefined) => void;
  /** Calls back for sessions of the others. */
  readonly subscribe: (onSession: (fingerprint: string, caller: Caller | undefined) => void) => void;
  /** The metrics of all of them, in the Prometheus text format. */
  readonly scrape: () => Promise<string>;
}

const SCRAPE_MS = 6_000;

/** Joins the processes that the primary started. @param registry metrics of this one */
export function joinProcesses(registry: Registry): Member {
  // Answers the primary's requests for the metrics of this process.
  AggregatorRegistry.setRegistries([registry]);
  new AggregatorRegistry();
  const asked = new Map<number, (text: string | undefined) => void>();
  const listeners: ((fingerprint: string, caller: Caller | undefined) => void)[] = [];
  let last = 0;
  process.on('message', (message: unknown) => {
    const { data } = Downward.safeParse(message);
    if (data?.type === 'saip:scraped') asked.get(data.id)?.(data.text);
    if (data?.type === 'saip:session') {
      for (const listener of listeners) listener(data.session.fingerprint, data.session.caller);
    }
  });
  const tell = (message: Upward): void => {
    process.send?.(message);
  };
  return {
    publish: (fingerprint, caller) =>
      tell({ type: 'saip:session', session: { fingerprint, caller: caller && { ...caller } } }),
    subscribe: (onSession) => {
      listeners.push(onSession);
    },
    scrape: async () => {
      last += 1;
      const id = last;
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      asked.set(id, resolve);
      const late = setTimeout(resolve, SCRAPE_MS, undefined);
      tell({ type: 'saip:scrape', id });
      const text = await promise;
      clearTimeout(late);
      asked.delete(id);
      if (text === undefined) throw new Error('The metrics of all processes cannot be collected.');
      return text;
    },
  };
}
