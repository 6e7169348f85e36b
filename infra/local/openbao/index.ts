export { unseal } from './unseal.ts';
export { provisionVault } from './provision.ts';
export { openVault } from './vault.ts';
export { POSTGRES_LOGINS, readCredentials, storeSecretField } from './credentials.ts';
export { AGENT_READER, lendDatabaseLogins } from './database-engine.ts';
export type { Credentials, PostgresLogin } from './credentials.ts';
