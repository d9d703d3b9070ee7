import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const newVaultKey = (): string => randomBytes(32).toString('base64');

/** A key file for a vault, which reads it once, when it is made. `remove` it after that. */
export function vaultKeyFile(key = newVaultKey()): { path: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-vault-key-'));
  const path = join(directory, 'keys.json');
  writeFileSync(path, JSON.stringify({ active: 'test', keys: { test: key } }), { mode: 0o600 });
  return { path, remove: () => rmSync(directory, { recursive: true }) };
}
