// The public face of @reeve/vault.
export { destroySecretsOfDeletedTenants } from './destroy-secrets-of-deleted-tenants.ts';
export { localKeyFile, openKeyManagement } from './kinds/registry.ts';
export { dataKeyRoutes } from './rewrap-data-keys.ts';
export { keyManagementSettings, oneKeyManagement } from './settings.ts';
export { createVault, SecretMissingError, type SecretRef, type Vault, vaultCollections } from './vault.ts';
