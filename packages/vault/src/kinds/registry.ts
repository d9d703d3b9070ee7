// Which kinds of key management there are, and what each is made of. A kind is loaded when it is configured: the client
// of AWS alone takes more memory than a small service.
import { createKeyManagement, type KeyKind, type KeyManagement, type KeyService } from '../key-management.ts';
import { type KeyManagementSettings, kindsIn } from '../settings.ts';
import { createKeyFile } from './key-file/key-file.ts';

type Make = (settings: KeyManagementSettings) => KeyService;

const makers: Record<KeyKind, Make> = {
  key_file: ({ REEVE_VAULT_KEY_FILE: path = '' }) => createKeyFile(path),
  transit: settings =>
    whenLoaded(async () => {
      const { createTransit } = await import('./transit/transit.ts');
      const { REEVE_VAULT_TRANSIT_TOKEN_FILE: file, REEVE_VAULT_TRANSIT_ROLE: role = '' } = settings;
      return createTransit({
        url: settings.REEVE_VAULT_TRANSIT_URL ?? '',
        mount: settings.REEVE_VAULT_TRANSIT_MOUNT,
        key: settings.REEVE_VAULT_TRANSIT_KEY ?? '',
        caFile: settings.REEVE_VAULT_TRANSIT_CA_FILE,
        token:
          file === undefined
            ? {
                role,
                authMount: settings.REEVE_VAULT_TRANSIT_AUTH_MOUNT,
                jwtFile: settings.REEVE_VAULT_TRANSIT_JWT_FILE,
              }
            : { file },
      });
    }),
  aws_kms: settings =>
    whenLoaded(async () => {
      const { createAwsKms } = await import('./aws-kms/aws-kms.ts');
      return createAwsKms({
        keyArn: settings.REEVE_VAULT_KMS_KEY_ARN ?? '',
        formerKeyArns: settings.REEVE_VAULT_KMS_FORMER_KEY_ARNS,
        endpoint: settings.REEVE_VAULT_KMS_ENDPOINT,
      });
    }),
};

function whenLoaded(load: () => Promise<KeyService>): KeyService {
  let service: Promise<KeyService> | undefined;
  const loaded = () => (service ??= load());
  return {
    wrap: async (dataKey, context) => (await loaded()).wrap(dataKey, context),
    unwrap: async (key, context) => (await loaded()).unwrap(key, context),
  };
}

/** Of settings that `oneKeyManagement` has found to be right. Throws for a key file that is not to be used. */
export function openKeyManagement(settings: KeyManagementSettings): KeyManagement {
  const kinds = kindsIn(settings);
  const wrapping = kinds.find(kind => kind !== settings.REEVE_VAULT_FORMER);
  if (!wrapping) throw new TypeError('no key management is configured');
  return createKeyManagement({ wrapping, services: new Map(kinds.map(kind => [kind, makers[kind](settings)])) });
}

/** A key file alone. Throws as `createKeyFile` does. */
export const localKeyFile = (path: string): KeyManagement =>
  createKeyManagement({ wrapping: 'key_file', services: new Map([['key_file', createKeyFile(path)]]) });
