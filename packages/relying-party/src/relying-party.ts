// Reeve as the client of somebody else's authorization server, whoever it is: a tenant's identity provider, the third
// party of a connector, our own issuer. The code grant with PKCE, `state`, `nonce` and `iss` by openid-client; what
// that lets through is checked in id-token.ts. Whoever calls binds what is pending to the browser that it began in.
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { createReadBrought } from './brought-token.ts';
import { authenticationFor, type Credential } from './client-authentication.ts';
import { isOfManyDirectories, issuerOfDirectory } from './directories.ts';
import type { Fetch, ServerMetadata } from './discover.ts';
import { createIdTokenCheck } from './id-token.ts';
import { createKeySets } from './key-sets.ts';
import { createReadSigned } from './signed-token.ts';
import { StepError, seenIn, spellings, stepOf, withoutSent, withSteps } from './step-error.ts';
import { completed, lackingIn, withSignedAnswers } from './user-info.ts';

/** A server, and what it knows us as. */
export type Client = {
  metadata: ServerMetadata;
  clientId: string;
  redirectUri: string;
  /** Whose people may come, of an issuer of many directories; nobody's when it is left out. */
  directories?: readonly string[];
};
export type Registration = Client & Credential;

/** What was sent, to be compared with what returns. JSON. */
export type Pending = { state: string; nonce: string; codeVerifier: string; maxAgeSeconds?: number };

export type Wanted = {
  scope: string;
  /** Where the caller wants to find something by it; must not be guessable. */
  state?: string;
  prompt?: 'login' | 'select_account' | 'login select_account';
  /** How long ago the person may have signed in there. */
  maxAgeSeconds?: number;
  loginHint?: string;
  acrValues?: string;
  uiLocales?: string;
  /** Parameters of that server alone. */
  extra?: Readonly<Record<string, string>>;
};

export type Granted = {
  accessToken: string;
  refreshToken: string | null;
  /** As the server says it; null when it says nothing. */
  expiresInSeconds: number | null;
  scope: string | null;
};

/** `query` is what the browser brought, from the `?` on. */
type Returned = { pending: Pending; query: string };

/** Where one that was of many directories is one of them. */
type Exchanged = { registration: Registration; tokens: Tokens };
type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>;

const timeoutSeconds = 5;
const usuallyWanted = ['email', 'name'];

export function createRelyingParty({ fetch: given }: { fetch: Fetch }) {
  const fetch = withSteps(given);
  const keySets = createKeySets(fetch);
  const checkIdToken = createIdTokenCheck(keySets);
  // Strangers may bring such tokens: they must not use up how often sign-ins may ask an issuer for its keys.
  const keySetsOfOthers = createKeySets(fetch);
  const readSigned = createReadSigned(keySetsOfOthers);
  const readBrought = createReadBrought(keySetsOfOthers);

  function configurationOf(of: Client, { method, send }: { method?: client.ClientAuth; send?: Fetch } = {}) {
    const configuration = new client.Configuration(of.metadata, of.clientId, undefined, method);
    configuration.timeout = timeoutSeconds;
    // `fetch` has refused every URL that it does not allow.
    if (of.metadata.issuer.startsWith('http:')) client.allowInsecureRequests(configuration);
    if (send) configuration[client.customFetch] = (url, options) => send(url, options as RequestInit);
    return configuration;
  }

  /** Asks the token endpoint by `send`. */
  async function grant(
    registration: Registration,
    { pending, query }: Returned,
    { send, idTokenExpected }: { send: Fetch; idTokenExpected: boolean },
  ): Promise<Tokens> {
    const { state, nonce, codeVerifier, maxAgeSeconds } = pending;
    // A refusal before the token endpoint was asked is about what the browser brought; after it, about the tokens.
    let asked = false;
    const configuration = configurationOf(registration, {
      method: await authenticationFor(registration.metadata, registration),
      send(url, options) {
        asked = true;
        return send(url, options);
      },
    });
    return client
      .authorizationCodeGrant(configuration, new URL(registration.redirectUri + query), {
        expectedState: state,
        pkceCodeVerifier: codeVerifier,
        ...(idTokenExpected ? { expectedNonce: nonce, idTokenExpected } : {}),
        ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }),
      })
      .catch((error: unknown) => {
        // Who refuses a key says the same as who refuses a secret.
        const provedBy = 'clientKey' in registration ? { provedBy: 'private_key_jwt' } : {};
        const code = new URLSearchParams(query).get('code') ?? '';
        const seen = withoutSent(seenIn(error), [code, codeVerifier, ...secretsOf(registration)]);
        throw new StepError(stepOf(error, asked), { cause: error, seen: { ...seen, ...provedBy } });
      });
  }

  /**
   * The library compares `iss` with one text. With an issuer of many directories what the token endpoint answers is
   * therefore held until it is known whose it is, and then judged as an answer of that directory's issuer.
   */
  async function grantOfDirectory(registration: Registration, returned: Returned): Promise<Exchanged> {
    const { metadata, directories = [] } = registration;
    const named = (issuer: string) => ({ ...registration, metadata: { ...metadata, issuer } });
    // RFC 9207, where the browser brought it. It is compared again with what the ID token says.
    const brought = new URLSearchParams(returned.query).get('iss');
    const isOurs = directories.some(tid => issuerOfDirectory(metadata.issuer, tid, directories) === brought);
    let held: Response | undefined;
    const hold: Fetch = async (url, options) => {
      held = await fetch(url, options);
      throw new StepError('provider_response');
    };
    const first = brought !== null && isOurs ? named(brought) : registration;
    await grant(first, returned, { send: hold, idTokenExpected: true }).catch((error: unknown) => {
      if (!held) throw error;
    });
    const answer = held ?? Response.error();
    const issuer = issuerOfDirectory(metadata.issuer, await directoryIn(answer.clone()), directories);
    const of = issuer === null ? registration : named(issuer);
    const tokens = await grant(of, returned, { send: async () => answer, idTokenExpected: true });
    if (issuer === null) throw new StepError('id_token_claims');
    return { registration: of, tokens };
  }

  async function exchange(registration: Registration, returned: Returned, idTokenExpected: boolean) {
    const { registration: of, tokens } =
      idTokenExpected && isOfManyDirectories(registration.metadata.issuer)
        ? await grantOfDirectory(registration, returned)
        : { registration, tokens: await grant(registration, returned, { send: fetch, idTokenExpected }) };
    // The library takes DPoP as well: a token that is worth nothing without a proof, which we do not make.
    if (tokens.token_type !== 'bearer') throw new StepError('provider_response');
    const granted: Granted = {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token ?? null,
      expiresInSeconds: tokens.expires_in ?? null,
      scope: tokens.scope ?? null,
    };
    return { registration: of, tokens, granted };
  }

  return {
    /** Where to send the browser, and what to remember until it returns. */
    async begin(registration: Client, wanted: Wanted): Promise<{ url: string; pending: Pending }> {
      const { scope, prompt, maxAgeSeconds, loginHint, acrValues, uiLocales, extra = {} } = wanted;
      const pending: Pending = {
        state: wanted.state ?? client.randomState(),
        nonce: client.randomNonce(),
        codeVerifier: client.randomPKCECodeVerifier(),
        ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
      };
      const isOpenId = scope.split(' ').includes('openid');
      const url = client.buildAuthorizationUrl(configurationOf(registration), {
        redirect_uri: registration.redirectUri,
        scope,
        state: pending.state,
        code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: 'S256',
        ...(isOpenId ? { nonce: pending.nonce } : {}),
        ...(prompt === undefined ? {} : { prompt }),
        ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
        ...(loginHint === undefined ? {} : { login_hint: loginHint }),
        ...(acrValues === undefined ? {} : { acr_values: acrValues }),
        ...(uiLocales === undefined ? {} : { ui_locales: uiLocales }),
        ...extra,
      });
      return { url: url.href, pending };
    },

    /**
     * Who came back, and what they gave. UserInfo is asked when the ID token lacks one of the claims that are wanted.
     * Throws StepError.
     */
    async complete(
      asked: Registration,
      { wantedClaims = usuallyWanted, ...returned }: Returned & { wantedClaims?: readonly string[] },
    ): Promise<{ claims: client.IDToken; granted: Granted }> {
      const { tokens, granted, registration } = await exchange(asked, returned, true);
      const { accessToken } = granted;
      const claims = tokens.claims();
      if (!claims || tokens.id_token === undefined) throw new StepError('id_token_missing');
      const { issuer: template } = asked.metadata;
      const from = { ...registration, ...(isOfManyDirectories(template) ? { template } : {}) };
      await checkIdToken(from, { idToken: tokens.id_token, claims, accessToken });
      const configuration = () => configurationOf(registration, { send: withSignedAnswers(fetch, { keySets, from }) });
      const isOffered = registration.metadata.userinfo_endpoint !== undefined;
      const lacking = isOffered ? lackingIn(claims, wantedClaims) : [];
      const all = lacking.length === 0 ? claims : await completed(configuration(), { accessToken, claims, lacking });
      return { claims: all, granted };
    },

    /** What the server has signed besides ID tokens. */
    readSigned,

    /** An access token or an ID token that the server made for an audience, and that a program brings. */
    readBrought,

    /** The same towards a server that gives access and tells nothing of who it is. */
    async completeAccess(registration: Registration, returned: Returned): Promise<Granted> {
      return (await exchange(registration, returned, false)).granted;
    },
  };
}

/** The secret, and the headers that it is sent in: encoded as RFC 6749 §2.3.1 says, and as many servers take it. */
const secretsOf = (registration: Registration): string[] => {
  if (!('clientSecret' in registration)) return [];
  const { clientId, clientSecret } = registration;
  const pairs = spellings.map(spell => `${spell(clientId)}:${spell(clientSecret)}`);
  return [clientSecret, ...pairs.map(pair => Buffer.from(pair).toString('base64'))];
};

/** What the ID token in an answer says of its directory, unverified; undefined where it says nothing. */
async function directoryIn(answer: Response): Promise<unknown> {
  try {
    const { id_token: idToken } = (await answer.json()) as { id_token: string };
    return decodeJwt(idToken)['tid'];
  } catch {
    return undefined;
  }
}
