export { DatabaseError, type DatabaseErrorCode } from './errors.ts';
export { migrate, type MigrateOptions } from './migrate.ts';
export { OAuthClients, type OAuthClient } from './oauth-clients.ts';
export { createPool, type DatabaseCredentials, type Pool } from './pool.ts';
export { TrainingStore } from './training-store.ts';
