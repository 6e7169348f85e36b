export { unseal } from './unseal.ts';
export { provisionVault } from './provision.ts';
export { openVault } from './vault.ts';
export { readCredentials } from './credentials.ts';
export type { Credentials, PostgresLogin } from './credentials.ts';
