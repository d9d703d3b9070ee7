// AWS KMS: keys that never leave it. The context is the encryption context, which CloudTrail shows. Credentials come
// from the default chain, as those of a Kubernetes service account (IRSA, Pod Identity).
import { DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  asDataKey,
  type KeyService,
  keyServiceDenied,
  keyServiceUnavailable,
  keyUnusable,
} from '../../key-management.ts';

type Options = {
  keyArn: string;
  /** What they have wrapped is opened. */
  formerKeyArns: readonly string[];
  /** Where it is not that of the key's region: a VPC endpoint, a test. */
  endpoint?: string | undefined;
  timeoutMs?: number;
};

const connectWithinMs = 2_000;
const attempts = 3;

const denied = new Set([
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidSignatureException',
  'TokenProviderError',
  'UnrecognizedClientException',
]);
const unusable = new Set([
  'DisabledException',
  'InvalidGrantTokenException',
  'InvalidKeyUsageException',
  'KMSInvalidStateException',
  'NotFoundException',
]);
const doesNotOpen = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);

function meaningOf(error: unknown): Error {
  const name = error instanceof Error ? error.name : '';
  if (doesNotOpen.has(name)) return new Error('a wrapped key does not open', { cause: error });
  if (denied.has(name)) return keyServiceDenied(error);
  return unusable.has(name) ? keyUnusable(error) : keyServiceUnavailable(error);
}

export function createAwsKms({ keyArn, formerKeyArns, endpoint, timeoutMs = 5_000 }: Options): KeyService {
  const regionOf = (arn: string) => arn.split(':')[3] ?? '';
  const clients = new Map<string, KMSClient>();
  const clientFor = (arn: string): KMSClient => {
    const region = regionOf(arn);
    const client =
      clients.get(region) ??
      new KMSClient({
        region,
        ...(endpoint === undefined ? {} : { endpoint }),
        maxAttempts: attempts,
        requestHandler: { connectionTimeout: connectWithinMs, requestTimeout: timeoutMs, throwOnRequestTimeout: true },
      });
    clients.set(region, client);
    return client;
  };
  const about = (arn: string, context: string) => ({ KeyId: arn, EncryptionContext: { binding: context } });
  const inTime = () => ({ abortSignal: AbortSignal.timeout(timeoutMs) });

  function bytesFrom(arn: string, answered: { KeyId?: string | undefined }, bytes: Uint8Array | undefined): Buffer {
    if (answered.KeyId === arn && bytes && bytes.length > 0) return Buffer.from(bytes);
    throw keyServiceUnavailable(new Error('the answer is none of KMS for this key'));
  }

  return {
    async wrap(dataKey, context) {
      const command = new EncryptCommand({ ...about(keyArn, context), Plaintext: dataKey });
      const answer = await clientFor(keyArn)
        .send(command, inTime())
        .catch((error: unknown) => {
          throw meaningOf(error);
        });
      return { keyId: keyArn, wrapped: bytesFrom(keyArn, answer, answer.CiphertextBlob).toString('base64') };
    },

    /**
     * Only by keys that are configured: whoever writes to the store could name a key of an account of their own, and so
     * know the data key.
     */
    async unwrap({ keyId, wrapped }, context) {
      if (keyId !== keyArn && !formerKeyArns.includes(keyId))
        throw keyUnusable(new Error(`a data key is wrapped by "${keyId}", which is not configured`));
      const command = new DecryptCommand({ ...about(keyId, context), CiphertextBlob: Buffer.from(wrapped, 'base64') });
      const answer = await clientFor(keyId)
        .send(command, inTime())
        .catch((error: unknown) => {
          throw meaningOf(error);
        });
      return asDataKey(bytesFrom(keyId, answer, answer.Plaintext));
    },
  };
}
