// The secrets of a local run: made once, kept beside its data with mode 0600, handed to the services through their
// environment as a platform would.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type LocalSecrets = {
  platformClientSecret: string;
  consentClientSecret: string;
  idpClientSecret: string;
  calendarClientSecret: string;
  cookieKey: string;
  demoPassword: string;
};

const random = () => randomBytes(32).toString('base64url');

export const vaultKeyFile = (directory: string) => join(directory, 'vault-keys.json');

export function localSecrets(directory: string): LocalSecrets {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'secrets.json');
  if (!existsSync(vaultKeyFile(directory))) {
    const keys = { active: 'local-1', keys: { 'local-1': randomBytes(32).toString('base64') } };
    writeFileSync(vaultKeyFile(directory), JSON.stringify(keys), { mode: 0o600 });
  }
  if (!existsSync(file)) {
    const secrets: LocalSecrets = {
      platformClientSecret: random(),
      consentClientSecret: random(),
      idpClientSecret: random(),
      calendarClientSecret: random(),
      cookieKey: random(),
      demoPassword: `demo-${randomBytes(6).toString('hex')}`,
    };
    writeFileSync(file, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as LocalSecrets;
}
