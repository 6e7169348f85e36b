export { Bucket, type BucketSize, type Taken } from './bucket.ts';
export { dailyHeaders, rateLimitHeaders } from './headers.ts';
export {
  UsageLedger,
  type Account,
  type LedgerOptions,
  type UsageEntry,
  type UsageStore,
  type UsageTotal,
} from './ledger.ts';
export { LimitRules, type Consumer, type EffectiveLimit, type LimitRule } from './rules.ts';
