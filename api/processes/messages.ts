import { z } from 'zod';
import { KeyScope, Principal } from '../../contracts/roles.ts';

const Caller = Principal.extend({ expiresAt: z.number(), scope: KeyScope.optional() });

/** A browser session by the fingerprint of its cookie; without a caller it has ended. */
export const SharedSession = z.object({ fingerprint: z.string(), caller: Caller.optional() });
export type SharedSession = z.infer<typeof SharedSession>;

/** From a process of the API to the one that started it. */
export const Upward = z.discriminatedUnion('type', [
  z.object({ type: z.literal('saip:session'), session: SharedSession }),
  z.object({ type: z.literal('saip:scrape'), id: z.int() }),
]);
export type Upward = z.infer<typeof Upward>;

/** The other way round. */
export const Downward = z.discriminatedUnion('type', [
  z.object({ type: z.literal('saip:session'), session: SharedSession }),
  z.object({ type: z.literal('saip:scraped'), id: z.int(), text: z.string().optional() }),
]);
export type Downward = z.infer<typeof Downward>;
