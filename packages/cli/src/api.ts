// Calls Reeve's API as a client of its own (client_credentials), for commands that work on a running system.
import { allowInsecureRequests, clientCredentialsGrant, discovery } from 'openid-client';

export type ApiOptions = { issuer: string; clientId: string; clientSecret: string; reason: string };

const renewBeforeMs = 30_000;

/** For the named service alone: an access token is for one audience. */
export async function connect({ issuer, clientId, clientSecret, reason }: ApiOptions, service: string) {
  const url = new URL(issuer);
  // Without TLS only on this machine, as in development.
  const execute = url.hostname === 'localhost' || url.hostname === '127.0.0.1' ? [allowInsecureRequests] : [];
  const configuration = await discovery(url, clientId, clientSecret, undefined, { execute });
  const scope = 'platform:admin';
  let token = { value: '', until: 0 };

  return {
    /** The answer as JSON. Throws with the code and detail of the problem for anything but a 2xx. */
    async post(path: string, body: unknown): Promise<unknown> {
      if (token.until < Date.now()) {
        const granted = await clientCredentialsGrant(configuration, { scope, resource: service });
        const until = Date.now() + (granted.expires_in ?? 0) * 1_000 - renewBeforeMs;
        token = { value: granted.access_token, until };
      }
      const response = await fetch(new URL(path, service), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token.value}`,
          'content-type': 'application/json',
          'reeve-reason': reason,
        },
        body: JSON.stringify(body),
      });
      const answer = (await response.json()) as { code?: string; detail?: string };
      if (!response.ok) throw new Error(`${response.status} ${answer.code ?? ''}: ${answer.detail ?? ''}`);
      return answer;
    },
  };
}
