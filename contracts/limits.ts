import { z } from 'zod';
import { BudgetChoice, BudgetSource } from './extraction.ts';
import { Name } from './reference.ts';

/** From the most specific to the least: a limit of a key counts before one of its owner. */
export const LIMIT_KINDS = ['key', 'subject', 'role', 'everybody'] as const;
export const LimitKind = z.enum(LIMIT_KINDS);
export type LimitKind = z.infer<typeof LimitKind>;

/** What each of several API processes gives of a rate. */
export const RateShares = z.enum(['divided', 'whole']);
export type RateShares = z.infer<typeof RateShares>;

const rows = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** What a caller may ask of a model. An absent number is that of the next less specific limit. */
export const LimitNumbers = z.strictObject({
  /** Requests a second in the long run; 0: no limit. Processes of an API share it out unless they are told not to. */
  rate: z.number().min(0).max(1_000_000).optional(),
  /** Requests that may come at once. */
  burst: z.int().min(1).max(10_000_000).optional(),
  /** Rows in a day (UTC), over all processes; 0: no limit. */
  dailyRows: rows.optional(),
  /** Rows in 30 days, sized to what an extraction of the model takes; 0: no limit. */
  budgetRows: rows.optional(),
});
export type LimitNumbers = z.infer<typeof LimitNumbers>;

const LimitSelector = z.strictObject({
  kind: LimitKind,
  /** Id of the key, subject, or role; empty for everybody. */
  name: z.string().max(256).default(''),
  /** Absent: every model. */
  model: Name.optional(),
});
export type LimitSelector = z.infer<typeof LimitSelector>;

/** Body of `POST /v1/limits`: replaces the limit of this caller and model. */
export const LimitRequest = LimitSelector.extend(LimitNumbers.shape)
  .refine(({ kind, name }) => (kind === 'everybody') === (name === ''), {
    path: ['name'],
    message: 'name a key, subject or role; everybody has no name',
  })
  .refine(
    ({ rate, burst, dailyRows, budgetRows }) =>
      [rate, burst, dailyRows, budgetRows].some((value) => value !== undefined),
    { path: ['rate'], message: 'give at least one of rate, burst, dailyRows and budgetRows' },
  );
export type LimitRequest = z.infer<typeof LimitRequest>;

export const LimitView = LimitSelector.extend(LimitNumbers.shape).extend({
  /** Curve that the budget was taken from; absent where a person chose it. */
  budgetSource: BudgetSource.optional(),
  setBy: z.string(),
  setAt: z.string(),
});
export type LimitView = z.infer<typeof LimitView>;

/** Body of `POST /v1/models/{name}/budget`: sets the suggested budget, and leaves the caller's other numbers. */
export const BudgetRequest = z
  .strictObject({
    ...LimitSelector.omit({ model: true }).shape,
    kind: LimitKind.default('everybody'),
    ...BudgetChoice.shape,
  })
  .refine(({ kind, name }) => (kind === 'everybody') === (name === ''), {
    path: ['name'],
    message: 'name a key, subject or role; everybody has no name',
  });
export type BudgetRequest = z.infer<typeof BudgetRequest>;

/** Limits of the tenant, and what counts where none of them says anything. */
export const LimitList = z.object({ limits: z.array(LimitView), defaults: LimitNumbers.required() });

/** Body of `POST /v1/limits/remove`. */
export const LimitRemoval = LimitSelector.refine(({ kind, name }) => (kind === 'everybody') === (name === ''), {
  path: ['name'],
  message: 'name a key, subject or role; everybody has no name',
});
export type LimitRemoval = z.infer<typeof LimitRemoval>;

export const UsageQuery = z.strictObject({
  subject: z.string().min(1).max(256).optional(),
  model: Name.optional(),
  /** Days back, today included. */
  days: z.coerce.number<string | number>().int().min(1).max(366).default(30),
});

export const UsageView = z.object({
  subject: z.string(),
  /** Id of the API key that the caller came with. */
  apiKey: z.string().optional(),
  model: z.string(),
  requests: z.number(),
  rows: z.number(),
  refused: z.number(),
  lastDay: z.string(),
});
export type UsageView = z.infer<typeof UsageView>;

export const UsageList = z.object({ days: z.int(), usage: z.array(UsageView) });
