// The public face of @reeve/vault.
export { type KeyManagement, localKeyFile, type WrappedKey } from './key-management.ts';
export { createVault, SecretMissingError, type SecretRef, type Vault, vaultCollections } from './vault.ts';
