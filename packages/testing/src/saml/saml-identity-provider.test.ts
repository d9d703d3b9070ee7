import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CacheProvider, SAML, type SamlConfig, ValidateInResponseTo } from '@node-saml/node-saml';
import { parse } from 'node-html-parser';
import { newSamlKey, type SamlKey } from './keys.ts';
import { contentCiphers, nameIdFormats, statuses } from './names.ts';
import { type SamlIdentityProvider, startSamlIdentityProvider } from './saml-identity-provider.ts';
import { allOf, parseXml } from './xml.ts';

const acsUrl = 'https://sp.test/saml/acs';
const entityId = 'https://sp.test/saml/metadata';
const newest: CacheProvider = {
  saveAsync: async (key, value) => ({ value, createdAt: Date.now(), key }),
  getAsync: async () => new Date().toISOString(),
  removeAsync: async key => key,
};

let idp: SamlIdentityProvider;
let spKey: SamlKey;

const serviceProvider = (more: Partial<SamlConfig> = {}) =>
  new SAML({
    issuer: entityId,
    audience: entityId,
    callbackUrl: acsUrl,
    entryPoint: idp.ssoUrl,
    logoutUrl: idp.sloUrl,
    idpIssuer: idp.entityId,
    idpCert: idp.keys().map(({ certificate }) => certificate),
    validateInResponseTo: ValidateInResponseTo.always,
    cacheProvider: newest,
    ...more,
  });

async function formAt(response: Response) {
  const form = parse(await response.text()).querySelector('form');
  const fields = (form?.querySelectorAll('input') ?? []).map(
    input => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? ''] as const,
  );
  return { action: form?.getAttribute('action'), fields: Object.fromEntries(fields) };
}

async function signIn(sp: SAML, relayState = 'here') {
  const { fields, action } = await formAt(await fetch(await sp.getAuthorizeUrlAsync(relayState, undefined, {})));
  return { action, fields, outcome: await sp.validatePostResponseAsync(fields as { SAMLResponse: string }) };
}

beforeAll(async () => {
  spKey = await newSamlKey({ commonName: 'sp.test' });
});
beforeEach(async () => {
  idp = await startSamlIdentityProvider();
});
afterEach(() => idp.stop());

describe('who comes to the identity provider', () => {
  test('is signed in at once, as whom the test says, where the request asked', async () => {
    idp.is({
      nameId: 'ada@example.test',
      nameIdFormat: nameIdFormats.email,
      sessionIndex: 'session-1',
      attributes: { givenName: 'Ada <&>', groups: ['admins', 'people'] },
    });
    const { action, fields, outcome } = await signIn(serviceProvider());
    expect(action).toBe(acsUrl);
    expect(fields['RelayState']).toBe('here');
    expect(outcome.profile).toMatchObject({
      nameID: 'ada@example.test',
      nameIDFormat: nameIdFormats.email,
      sessionIndex: 'session-1',
      issuer: idp.entityId,
      attributes: { givenName: 'Ada <&>', groups: ['admins', 'people'] },
    });
    expect(idp.sent).toEqual([fields['SAMLResponse']]);
  });

  test('is refused with the status that the test says', async () => {
    idp.refuses(statuses.responder, statuses.authnFailed);
    await expect(signIn(serviceProvider())).rejects.toThrow('AuthnFailed');
  });

  test('gets an assertion that only the service provider can read', async () => {
    idp.encrypts(spKey.certificate);
    const { fields, outcome } = await signIn(serviceProvider({ decryptionPvk: spKey.privateKey }));
    expect(outcome.profile?.nameID).toBe('somebody');
    const xml = Buffer.from(fields['SAMLResponse'] ?? '', 'base64').toString();
    expect(xml).toContain(contentCiphers.aes256Gcm);
    expect(xml).not.toContain('somebody');
  });

  test.each([
    { signs: { response: true, assertion: false }, signatures: 1 },
    { signs: { response: false, assertion: true }, signatures: 1 },
    { signs: { response: false, assertion: false }, signatures: 0 },
  ])('gets what is signed as the test says: $signs', async ({ signs, signatures }) => {
    idp.signs(signs);
    const sp = serviceProvider({ wantAssertionsSigned: false, wantAuthnResponseSigned: false });
    const answer = await idp.responseFor({ id: '_1', issuer: entityId, acsUrl });
    expect(allOf(parseXml(Buffer.from(answer, 'base64').toString()), 'Signature')).toHaveLength(signatures);
    const outcome = sp.validatePostResponseAsync({ SAMLResponse: answer });
    if (signatures === 0) await expect(outcome).rejects.toThrow('signature');
    else expect((await outcome).profile?.nameID).toBe('somebody');
  });

  test('gets what the test made of the response, signed or not', async () => {
    const becomesRoot = (xml: string) => xml.replaceAll('somebody', 'root');
    idp.bends({ unsigned: becomesRoot });
    expect((await signIn(serviceProvider())).outcome.profile?.nameID).toBe('root');
    idp.bends(becomesRoot);
    await expect(signIn(serviceProvider())).rejects.toThrow('signature');
    idp.bends({});
    expect((await signIn(serviceProvider())).outcome.profile?.nameID).toBe('somebody');
  });
});

describe('what was asked', () => {
  test('is remembered, with what it says', async () => {
    await signIn(
      serviceProvider({ forceAuthn: true, authnContext: ['urn:strong'], identifierFormat: nameIdFormats.email }),
    );
    expect(idp.asked).toMatchObject([
      {
        issuer: entityId,
        acsUrl,
        destination: idp.ssoUrl,
        forceAuthn: true,
        requestedAuthnContext: { comparison: 'exact', classes: ['urn:strong'] },
        nameIdPolicy: { format: nameIdFormats.email, allowCreate: true },
        binding: 'redirect',
        signature: 'none',
      },
    ]);
  });

  test('is known to be signed by whom the test says, by redirect and by POST', async () => {
    const signing = { privateKey: spKey.privateKey, signatureAlgorithm: 'sha256' } as const;
    const byRedirect = serviceProvider(signing);
    const byPost = serviceProvider({ ...signing, skipRequestCompression: true });
    const ask = async () => {
      await fetch(await byRedirect.getAuthorizeUrlAsync('here', undefined, {}));
      const { fields } = await formAt(new Response(await byPost.getAuthorizeFormAsync('here')));
      await fetch(idp.ssoUrl, { method: 'POST', body: new URLSearchParams(fields) });
      return idp.asked.splice(0).map(({ binding, signature }) => `${binding} ${signature}`);
    };
    expect(await ask()).toEqual(['redirect unchecked', 'post unchecked']);
    idp.knows({ certificate: spKey.certificate });
    expect(await ask()).toEqual(['redirect holds', 'post holds']);
    idp.knows({ certificate: idp.foreignKey.certificate });
    expect(await ask()).toEqual(['redirect broken', 'post broken']);
  });
});

describe('its keys', () => {
  const certificates = async () =>
    allOf(parseXml(await (await fetch(idp.metadataUrl)).text()), 'X509Certificate').map(node => node.textContent);

  test('change, and metadata lists the new one, beside the old one if the test says so', async () => {
    const [first] = await certificates();
    const before = serviceProvider();
    await idp.changesItsKeys({ keepOld: true });
    const both = await certificates();
    expect(both).toHaveLength(2);
    expect(both[1]).toBe(first);
    await expect(signIn(before)).rejects.toThrow('signature');
    await signIn(serviceProvider());
    await idp.changesItsKeys();
    expect(await certificates()).toHaveLength(1);
  });

  test('may be on an elliptic curve', async () => {
    const onCurve = await startSamlIdentityProvider({ keyType: 'ec' });
    const answer = await onCurve.responseFor({ id: '_1', issuer: entityId, acsUrl });
    expect(Buffer.from(answer, 'base64').toString()).toContain('xmldsig-more#ecdsa-sha256');
    await onCurve.stop();
  });
});

describe('logging out', () => {
  const who = { issuer: 'x', nameID: 'somebody', nameIDFormat: nameIdFormats.persistent, sessionIndex: 'session-1' };

  test('by the service provider is remembered and answered, signed', async () => {
    idp.knows({ sloUrl: 'https://sp.test/slo', certificate: spKey.certificate });
    const sp = serviceProvider({ privateKey: spKey.privateKey, signatureAlgorithm: 'sha256' });
    const answer = await fetch(await sp.getLogoutUrlAsync(who, 'there', {}), { redirect: 'manual' });
    expect(idp.logouts).toMatchObject([
      { kind: 'request', nameId: 'somebody', sessionIndexes: ['session-1'], signature: 'holds', binding: 'redirect' },
    ]);
    const back = new URL(answer.headers.get('location') ?? '');
    expect(back.searchParams.get('RelayState')).toBe('there');
    const outcome = await sp.validateRedirectAsync(Object.fromEntries(back.searchParams), back.search.slice(1));
    expect(outcome.loggedOut).toBe(true);
  });

  test('by the identity provider is a signed request by either binding', async () => {
    const sp = serviceProvider();
    const { redirect, post } = idp.logoutRequest({
      nameId: 'somebody',
      sessionIndex: 'session-1',
      destination: 'https://sp.test/slo',
    });
    const query = new URL(redirect);
    const byRedirect = await sp.validateRedirectAsync(Object.fromEntries(query.searchParams), query.search.slice(1));
    const byPost = await sp.validatePostRequestAsync({ SAMLRequest: post['SAMLRequest'] ?? '' });
    for (const { profile } of [byRedirect, byPost]) expect(profile?.nameID).toBe('somebody');
  });
});
