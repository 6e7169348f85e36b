export { ModelUploads } from './model-uploads.ts';
export { AgentStore, type AgentStep, type AgentStepOutcome } from './agent-store.ts';
export { AgentViews, type ModelRow, type VersionRow } from './agent-views.ts';
export { listenAliases, type AliasListener, type AliasNotice, type ListenOptions } from './alias-listener.ts';
export { ALIAS_CHANNEL, AliasLog, type AliasChange, type LiveAlias } from './alias-log.ts';
export { ApiKeys, type NewApiKey, type VerifiableKey } from './api-keys.ts';
export { AttackLog, type NewAttackRecord } from './attack-log.ts';
export { ExtractionLog, type NewExtractionRecord } from './extraction-log.ts';
export { BatchScores, type Charged, type ShardCharge, type ShardKey } from './batch-scores.ts';
export { Datasets, type DatasetReferences, type NewDataset } from './datasets.ts';
export { AuditErasure, type ErasedPerson } from './audit-erasure.ts';
export { AuditTree } from './audit-tree.ts';
export { AuditLog, type AuditEntry, type AuditQuery, type LoggedEntry, type NewAuditEntry } from './audit-log.ts';
export { DatabaseError, type DatabaseErrorCode } from './errors.ts';
export { LineageLog } from './lineage-log.ts';
export { withLock } from './lock.ts';
export { migrate, type MigrateOptions } from './migrate.ts';
export {
  ModelRegistry,
  type NewVersion,
  type StoredModel,
  type StoredVersion,
  type Withdrawal,
} from './model-registry.ts';
export { OAuthClients, type OAuthClient } from './oauth-clients.ts';
export { createPool, type DatabaseCredentials, type Pool } from './pool.ts';
export { Releases, releaseSummary, type NewRelease, type StoredRelease } from './releases.ts';
export { REPLICA_LIFE_SECONDS, ServingStatus, type ServingNews } from './serving-status.ts';
export { ServingSwitches, type NewSwitch, type ServingSwitch } from './serving-switches.ts';
export { StepStore, type KeptStep, type NewKeptStep, type StepWorker } from './step-store.ts';
export { TrainingStore } from './training-store.ts';
export { RevokedTokens, type RevokedToken } from './revoked-tokens.ts';
export { MisuseFlags, type NewFlag, type OpenFlag, type TenantFlag } from './misuse-flags.ts';
export { ModelProtections, type ModelProtection } from './model-protections.ts';
export { UsageLimits } from './usage-limits.ts';
export { keepRetention, type RetentionOptions } from './retention.ts';
export { UsageLog } from './usage-log.ts';
