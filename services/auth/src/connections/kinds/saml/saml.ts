// SAML 2.0: we are a service provider of our own towards each connection, so that what was said to one connection means
// nothing to another. How a response is checked stands in verify-response.ts.
import { randomBytes } from 'node:crypto';
import { stringify } from 'node:querystring';
import { SAML, type SamlOptions } from '@node-saml/node-saml';
import { ProblemError } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { html, type Language, openRoute, type Page } from '@reeve/service-kit';
import type { GuardedNetwork } from '@reeve/service-kit/outbound';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { textsIn } from '../../../page-texts/page-texts.ts';
import type { UsedOnce } from '../../../used-once.ts';
import type { Stage } from '../checks.ts';
import { type At, type ConnectionKind, unknownIssuer, type Wish } from '../kind.ts';
import type { ReadSecret } from '../secret.ts';
import { clausesOf } from './clauses.ts';
import { identityOf } from './identity.ts';
import { readIdpMetadata } from './idp-metadata.ts';
import { readPrivateKeys, rotateKeys } from './keys.ts';
import { expiriesOf, refreshed } from './lifecycle.ts';
import { logoutUntil, readLogoutRequest } from './logout.ts';
import { nameIdFormat } from './names.ts';
import type { Asserted } from './read-assertion.ts';
import {
  addressesOf,
  type Complete,
  change,
  completeSettings,
  prepare,
  type Settings,
  settingsOf,
  view,
  viewOf,
} from './settings.ts';
import { readSignedBy } from './signed-token.ts';
import { spMetadata } from './sp-metadata.ts';
import { verifyResponse } from './verify-response.ts';

type Parts = {
  network: Pick<GuardedNetwork, 'fetch' | 'assertUrl'>;
  readSecret: ReadSecret;
  once: UsedOnce;
  ownIssuer: string;
  clock: Clock;
};

const longestUnsolicited = 48 * 1_024;

const pendingSchema = z.object({ requestId: z.string() });

export function saml({ network, readSecret, once, ownIssuer, clock }: Parts): ConnectionKind {
  const below = (connectionId: string) => `${ownIssuer}/saml/${connectionId}`;
  const callbackPath = (connectionId: string) => `/saml/${connectionId}/acs`;
  const sp = (id: string) => ({
    entityId: `${below(id)}/metadata`,
    acsUrl: ownIssuer + callbackPath(id),
    sloUrl: `${below(id)}/slo`,
  });
  /** In the order of our certificates. */
  const privateKeys = async (at: At, { keys }: Pick<Settings, 'keys'>) =>
    keys.length === 0 ? [] : readPrivateKeys(await readSecret(at), keys);

  async function fetchMetadata(url: string): Promise<Uint8Array> {
    // Keycloak has it as application/xml, and answers 406 to whoever wants the registered type alone.
    const accept = 'application/samlmetadata+xml, application/xml;q=0.9, */*;q=0.5';
    const response = await network.fetch(url, { headers: { accept } }).catch(cause => {
      if (cause instanceof ProblemError) throw cause;
      throw new ProblemError('connection_unreachable', 'the metadata could not be fetched', { cause });
    });
    if (response.status !== 200)
      throw new ProblemError('connection_unreachable', `the metadata was answered with status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  async function readAgain(settings: Complete, metadataUrl: string) {
    const read = readIdpMetadata(await fetchMetadata(metadataUrl), clock.now());
    const taken = refreshed(settings, read);
    for (const url of addressesOf(taken.settings.idp)) network.assertUrl(url);
    return taken;
  }

  /** What is said to us now, and for the first time. Throws StepError. */
  async function verified(
    at: At,
    settings: Pick<Complete, 'idp' | 'keys' | 'wantEncrypted' | 'wantSigned'>,
    { brought, requestId }: { brought: string; requestId: string | null },
  ): Promise<Asserted> {
    const { entityId: spEntityId, acsUrl } = sp(at.id);
    const asserted = await verifyResponse(responseIn(brought), {
      ...settings,
      expected: { spEntityId, acsUrl, requestId },
      privateKeys: async () => (await privateKeys(at, settings)).filter(key => key !== null),
      now: clock.now(),
    });
    if (!(await once.use(at.id, asserted.assertionId, asserted.usableUntil))) throw new StepError('saml_replayed');
    return asserted;
  }

  /** Towards the provider, signed where it is to be. */
  async function requesting(at: At, settings: Complete, more: Partial<SamlOptions>): Promise<SAML> {
    const { entityId, acsUrl } = sp(at.id);
    const isSigned = settings.signRequests || more.logoutUrl !== undefined;
    const [privateKey] = isSigned ? await privateKeys(at, settings) : [];
    if (isSigned && !privateKey) throw new Error('the private key of the certificate in use is missing');
    return new SAML({
      issuer: entityId,
      callbackUrl: acsUrl,
      idpCert: settings.idp.certificates,
      identifierFormat: null,
      signatureAlgorithm: 'sha256',
      digestAlgorithm: 'sha256',
      ...(privateKey ? { privateKey } : {}),
      ...more,
    });
  }

  return {
    input: change,
    change,
    view,

    async prepare(given, current) {
      const world = {
        fetchMetadata,
        assertUrl: network.assertUrl,
        ownHost: new URL(ownIssuer).hostname,
        now: clock.now(),
      };
      const before = current === null ? null : settingsOf(current);
      const prepared = await prepare(change.parse(given), before, world);
      return { ...prepared, issuer: prepared.settings.idp?.entityId ?? unknownIssuer };
    },

    viewOf: (settings, id) => viewOf(settingsOf(settings), sp(id).entityId),

    async begin(at, { signInId, wish }) {
      const settings = completeSettings(at.settings);
      const { redirect, post } = settings.idp.sso;
      const requestId = `_${randomBytes(20).toString('hex')}`;
      // Eighty bytes at most (SAML Bindings §3.4.3).
      const relayState = `${signInId}.${randomBytes(16).toString('base64url')}`;
      const asking = { ...wishedFor(wish), entryPoint: redirect ?? post ?? '', generateUniqueId: () => requestId };
      const additionalParams = wish.loginHint === undefined ? {} : { login_hint: wish.loginHint };
      const pending = { requestId };
      if (redirect !== undefined) {
        const request = await requesting(at, settings, asking);
        const url = await request.getAuthorizeUrlAsync(relayState, undefined, { additionalParams });
        return { leaveFor: url, pending };
      }
      const request = await requesting(at, settings, { ...asking, skipRequestCompression: true });
      const fields = await request.getAuthorizeMessageAsync(relayState, undefined, { additionalParams });
      return { leaveFor: pageThatPosts(post ?? '', fields as Record<string, string>), pending };
    },

    async complete(at, { pending, brought }) {
      const settings = completeSettings(at.settings);
      const { requestId } = pendingSchema.parse(pending);
      return identityOf(await verified(at, settings, { brought, requestId }), settings.idp.entityId);
    },

    async takeUnsolicited(at, brought) {
      // Anybody may bring one: what is longer than any that only says who somebody is, is not worth the work.
      if (brought.length > longestUnsolicited) throw new StepError('saml_malformed');
      const settings = completeSettings(at.settings);
      const { allowIdpInitiated, idpInitiatedClientId } = settings;
      await verified(at, settings, { brought, requestId: null });
      if (!allowIdpInitiated || idpInitiatedClientId === null) throw new StepError('unsolicited');
      return { clientId: idpInitiatedClientId };
    },

    callbackPath,
    callbackMethod: 'post',

    logout: {
      path: connectionId => `/saml/${connectionId}/slo`,

      async read(at, came) {
        const settings = completeSettings(at.settings);
        const now = clock.now();
        const brought = new URLSearchParams(came.brought);
        // Our session is over already, so that an answer does nothing but lead on, by what nobody else can guess. Some
        // providers do not sign it.
        if (brought.has('SAMLResponse')) return { returnId: brought.get('RelayState') ?? '' };
        const request = await readLogoutRequest(came, { idp: settings.idp, sloUrl: sp(at.id).sloUrl, now });
        const { id: ID, nameId, sessionIndexes, relayState } = request;
        // Without single logout in its metadata there is no key of ours to answer by, and nowhere to answer to.
        if (settings.keys.length === 0 || Object.keys(settings.idp.slo).length === 0)
          throw new StepError('unsolicited');
        if (await once.isUsed(at.id, ID)) throw new StepError('saml_replayed');
        const answering = await requesting(at, settings, forLogout(settings));
        const answer = await answering.getLogoutResponseUrlAsync({ ID } as never, relayState ?? '', {}, true);
        return {
          ended: { subject: nameId, ids: sessionIndexes },
          answer: asSigned(answer),
          done: async () => void (await once.use(at.id, ID, logoutUntil(now))),
        };
      },

      async begin(at, { subject, id, details }, returnId) {
        const settings = completeSettings(at.settings);
        if (!settings.singleLogout || settings.idp.slo.redirect === undefined) return null;
        const asking = await requesting(at, settings, forLogout(settings));
        const named = {
          nameID: subject,
          nameIDFormat: details['format'] ?? nameIdFormat.unspecified,
          ...(details['nameQualifier'] ? { nameQualifier: details['nameQualifier'] } : {}),
          ...(details['spNameQualifier'] ? { spNameQualifier: details['spNameQualifier'] } : {}),
          ...(id === null ? {} : { sessionIndex: id }),
        };
        return asking.getLogoutUrlAsync({ issuer: settings.idp.entityId, ...named } as never, returnId, {});
      },
    },

    signInIdOf: brought => /^([\w-]{10,60})\./.exec(brought.get('RelayState') ?? '')?.[1] ?? null,

    routes: find => [
      openRoute({
        method: 'get',
        path: '/saml/{connectionId}/metadata',
        summary: 'What we are to this connection’s identity provider, as SAML 2.0 metadata',
        open: 'it is for the identity provider to read, and holds no secret',
        answer: 'bytes',
        produces: ['application/samlmetadata+xml'],
        async handle({ params: { connectionId } }) {
          const at = await find(connectionId);
          if (!at) throw new ProblemError('not_found');
          const { keys, signRequests, wantEncrypted, idp } = settingsOf(at.settings);
          const takesEncrypted = wantEncrypted || idp === null;
          const text = spMetadata({ ...sp(at.id), keys, signsRequests: signRequests, takesEncrypted });
          return { stream: response => void response.type('application/samlmetadata+xml').send(text) };
        },
      }),
    ],

    signals: {
      // What a provider calls us in such a JWT is the id of something of its own.
      ourName: () => null,
      keys: () => null,
      read: (at, signed) => readSignedBy(completeSettings(at.settings).idp.certificates, signed),
    },

    checks,

    assertComplete: stored => void completeSettings(stored),

    async test(stored) {
      const settings = completeSettings(stored);
      if (settings.metadataUrl !== null) await readAgain(settings, settings.metadataUrl);
    },

    clauses: settings => clausesOf(settingsOf(settings)),

    expiries: settings => expiriesOf(settingsOf(settings)),

    refresh: {
      isOn: settings => settingsOf(settings).metadataUrl !== null,

      async read(stored) {
        const settings = completeSettings(stored);
        if (settings.metadataUrl === null)
          throw new ProblemError('connection_unsupported', 'it has no saml.metadataUrl to read metadata from');
        return readAgain(settings, settings.metadataUrl);
      },
    },

    async rotateKey(stored, asked) {
      const settings = settingsOf(stored);
      const rotation = { ...asked, name: new URL(ownIssuer).hostname, now: clock.now() };
      const { keys, secret } = await rotateKeys(settings.keys, rotation);
      return { settings: { ...settings, keys }, secret };
    },

    restore(stored, current) {
      const former = completeSettings(stored);
      for (const url of addressesOf(former.idp)) network.assertUrl(url);
      return { ...former, keys: settingsOf(current).keys };
    },
  };
}

/** What is about the assertion and was found around it counts as that: nothing after it has been seen. */
const checks: readonly Stage[] = [
  { readable: ['saml_malformed', 'saml_algorithm'] },
  { addressed: ['saml_issuer', 'saml_destination', 'saml_response_to'], accepted: ['refused_by_provider'] },
  { decrypted: ['saml_encryption'], signed: ['saml_signature'] },
  {
    meant: ['saml_audience', 'saml_conditions'],
    timely: ['saml_time'],
    named: ['saml_subject', 'saml_authentication', 'subject_missing'],
  },
  { once: ['saml_replayed'] },
];

/** Messages about logging out are always signed. */
const forLogout = ({ idp: { slo, sso } }: Complete): Partial<SamlOptions> => ({
  logoutUrl: slo.redirect ?? slo.post ?? '',
  entryPoint: sso.redirect ?? sso.post ?? '',
});

/** node-saml signs a query in one writing and sends it in another, which shows in a RelayState of somebody else's. */
function asSigned(address: string): string {
  const url = new URL(address);
  url.search = stringify(Object.fromEntries(url.searchParams));
  return url.href;
}

/** What the browser brings is a form; a field that is there twice is none. */
function responseIn(brought: string): string {
  const [response, ...others] = new URLSearchParams(brought).getAll('SAMLResponse');
  if (response === undefined || others.length > 0) throw new StepError('saml_malformed');
  return response;
}

function wishedFor({ again, maxAgeSeconds, acrValues }: Wish): Partial<SamlOptions> {
  // Only names of contexts are URIs; what else an application may say means nothing to a SAML provider.
  const authnContext = (acrValues ?? '').split(' ').filter(one => /^[!-~]+:[!-~]+$/.test(one));
  // SAML has no word for an age: only a fresh sign-in is surely young enough.
  const forceAuthn = again || maxAgeSeconds !== undefined;
  return { forceAuthn, authnContext, disableRequestedAuthnContext: authnContext.length === 0 };
}

function pageThatPosts(action: string, fields: Record<string, string>): Page {
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  const words = (language: Language) => {
    const text = textsIn(language);
    const content = html`<p>${text('signsYouInAt', { host: new URL(action).host })}</p>
<form method="post" action="${action}">${inputs}<button class="primary" autofocus>${text('continue')}</button></form>`;
    return { title: text('signIn'), content };
  };
  return { words, formAction: 'anywhere' };
}
