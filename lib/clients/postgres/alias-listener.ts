import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import type { SaipConfig } from '../../config/index.ts';
import { ALIAS_CHANNEL } from './alias-log.ts';
import { databaseError } from './errors.ts';
import { connectionOptions, type DatabaseCredentials } from './pool.ts';

const AliasNotice = z.object({ id: z.int(), model: z.string(), alias: z.string() });
/** The row of the alias log that was written. */
export type AliasNotice = z.infer<typeof AliasNotice>;

export interface ListenOptions {
  readonly config: SaipConfig;
  readonly credentials: DatabaseCredentials;
  /** `undefined`: the connection is new, and notices may have been missed; look at all aliases. */
  readonly onChange: (notice: AliasNotice | undefined) => void;
  /** The connection failed; it is tried again. */
  readonly onError?: (error: unknown) => void;
}

export interface AliasListener {
  close(): Promise<void>;
}

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 5_000;

/** Tells of every change in the alias log, over a connection of its own that is made again when it breaks. */
export function listenAliases(options: ListenOptions): AliasListener {
  const stop = new AbortController();
  const running = keepListening(options, stop.signal);
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

async function keepListening(options: ListenOptions, signal: AbortSignal): Promise<void> {
  let wait = FIRST_DELAY_MS;
  while (!signal.aborted) {
    try {
      await listenOnce(
        { ...options, onChange: (notice) => ((wait = FIRST_DELAY_MS), options.onChange(notice)) },
        signal,
      );
    } catch (error) {
      options.onError?.(databaseError(error));
    }
    await delay(wait, undefined, { signal }).catch(() => undefined);
    wait = Math.min(wait * 2, LAST_DELAY_MS);
  }
}

/** Listens until the connection ends or `signal` says stop. */
async function listenOnce(options: ListenOptions, signal: AbortSignal): Promise<void> {
  const client = new pg.Client(connectionOptions(options.config, options.credentials));
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  client.on('error', reject).on('end', resolve);
  client.on('notification', ({ payload }) => options.onChange(parseNotice(payload)));
  signal.addEventListener('abort', () => resolve(), { once: true });
  try {
    await client.connect();
    await client.query(`LISTEN ${ALIAS_CHANNEL}`);
    options.onChange(undefined);
    await ended;
  } finally {
    ended.catch(() => undefined);
    await client.end().catch(() => undefined);
  }
}

/** A notice that cannot be read still says that something changed. */
function parseNotice(payload: string | undefined): AliasNotice | undefined {
  try {
    return AliasNotice.parse(JSON.parse(payload ?? ''));
  } catch {
    return undefined;
  }
}
