// Gets the bot's token at Reeve (client_credentials). It is for Reeve's bot routes alone, whatever the SDK names.
import * as oauth from 'openid-client';
import { type Granted, NoTokenError } from './app-token.ts';
import { ClientKeyError, readClientKey } from './client-key.ts';
import { type Config, isLoopback } from './config.ts';

/** Below the 30 s after which the SDK gives up. */
const timeoutSeconds = 10;

export function grantAtReeve({ issuer, clientId, readSecret, keyFile, tenant }: Config): () => Promise<Granted> {
  const execute = isLoopback(issuer) ? [oauth.allowInsecureRequests] : [];
  const scope = ['bots:act', ...(tenant === null ? [] : [`tenant:${tenant}`])].join(' ');

  return async () => {
    try {
      // Looked up each time, which is every few minutes: a secret, a key or an endpoint that has changed is taken up.
      const options = { execute, timeout: timeoutSeconds };
      const reeve =
        keyFile === null
          ? await oauth.discovery(issuer, clientId, readSecret(), undefined, options)
          : await oauth.discovery(issuer, clientId, {}, oauth.PrivateKeyJwt(await readClientKey(keyFile)), options);
      const resource = reeve.serverMetadata().issuer;
      const { access_token: token, expires_in: seconds = 0 } = await oauth.clientCredentialsGrant(reeve, {
        scope,
        resource,
      });
      return { token, expiresInMs: seconds * 1_000 };
    } catch (cause) {
      throw toNoToken(cause);
    }
  };
}

function toNoToken(cause: unknown): NoTokenError {
  if (cause instanceof ClientKeyError) return new NoTokenError('the key cannot be used', { isFinal: false, cause });
  const answer = refusalOf(cause);
  if (answer === null) return new NoTokenError('Reeve could not be asked', { isFinal: false, cause });
  const isFinal = answer.status < 500 && answer.status !== 429;
  return new NoTokenError(`Reeve has refused the application: ${answer.error}`, { isFinal, cause });
}

/** What the token endpoint said: a code of RFC 6749, and never what was sent. */
function refusalOf(cause: unknown): { status: number; error: string } | null {
  if (cause instanceof oauth.ResponseBodyError) return { status: cause.status, error: cause.error };
  if (cause instanceof oauth.WWWAuthenticateChallengeError) return { status: cause.status, error: 'invalid_client' };
  return null;
}
