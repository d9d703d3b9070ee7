// What comes back to `/embed/callback` is for the page that is sealed in `state`: so the request that it comes of has to be
// the one that was made for that page. Whoever has read such a state, from an address that somebody has been at, would
// else have that person bring them a code by it that is bound to a key of their own.
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { callbackPath } from './embed.ts';
import type { EmbedRequests } from './embed-request.ts';

type Parts = { issuer: string; requests: EmbedRequests; now: () => number };

export type AssertEmbedded = ReturnType<typeof createAssertEmbedded>;

export const createAssertEmbedded =
  ({ issuer, requests, now }: Parts) =>
  ({ oidc: { params, client } }: KoaContextWithOIDC): void => {
    if (params?.['redirect_uri'] !== issuer + callbackPath) return;
    const { state } = params;
    const asked = requests.open(typeof state === 'string' ? state : undefined);
    const isSame =
      asked &&
      asked.until > now() &&
      asked.clientId === client?.clientId &&
      asked.domain === params['tenant'] &&
      asked.codeChallenge === params['code_challenge'] &&
      asked.jkt === params['dpop_jkt'];
    if (!isSame) throw new errors.InvalidRequest('state is not of this request');
  };
