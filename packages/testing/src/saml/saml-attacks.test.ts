// The corpus against itself, so that each refusal is for the reason that is named, and against bare node-saml, so that
// it is known what a service provider has to add to it.
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Profile, SAML } from '@node-saml/node-saml';
import { SignedXml } from 'xml-crypto';
import { type SamlAnswer, type SamlAttack, type SamlTarget, victim } from './attacks/attack.ts';
import { deflateBomb, formOf, inNewResponse, samlAttacks } from './attacks/saml-attacks.ts';
import { newSamlKey, type SamlKey } from './keys.ts';
import { holdsSomewhere, signaturesIn, signedTextIn } from './read-answer.test-support.ts';
import { createSamlIssuer, type SamlIssuer } from './saml-issuer.ts';
import { signatureHolds } from './sign-xml.ts';
import { allOf, oneOf, parseXml, writeXml } from './xml.ts';

const skewSeconds = 60;
const corpus = samlAttacks({ skewSeconds });
const named = new Map(corpus.map(item => [item.name, item]));

/** What bare node-saml 5.1.0 lets through, by theme. Everything else in the corpus it refuses itself. */
const leftToOthers = {
  signatures: [
    'rsa-sha1',
    'digests by SHA-1',
    'rsa-sha1 and digests by SHA-1',
    'a broken signature of the Response around a valid Assertion',
    'a broken signature of the Assertion inside a valid Response',
  ],
  encryption: ['AES-256-CBC', 'AES-128-CBC', 'triple DES', 'RSA 1.5 for the key', 'a DOCTYPE inside what is encrypted'],
  identities: [
    'a comment inside NameID',
    'CDATA inside NameID',
    'a processing instruction inside NameID',
    'a child element inside NameID',
    'a child element with the victim inside NameID',
    'a comment inside an attribute’s value',
    'an empty NameID',
    'a NameID of white space',
    'a comment inside Issuer',
  ],
  addressing: [
    'Destination is elsewhere',
    'Destination only begins like ours',
    'no Destination in a signed Response',
    'an empty Destination',
    'Recipient is elsewhere',
    'Recipient only begins like ours',
    'no Recipient',
    'the Response is issued by somebody else',
    'the Assertion is issued by somebody else',
    'Response and Assertion are issued by somebody else',
    'no Issuer in a signed Response',
    'no Issuer in the Assertion',
    'the Response answers another request',
    'the Response answers no request',
    'the Assertion answers another request',
    'the Assertion answers no request',
    'Response and Assertion answer another request',
    'unsolicited',
    'SPNameQualifier is somebody else',
  ],
  times: [
    'the confirmation expired, by just the skew',
    'the confirmation expired yesterday',
    'the confirmation has a NotBefore',
    'the session ended, by just the skew',
    'the session ended yesterday',
    'signed in tomorrow',
  ],
  statements: [
    'no Subject',
    'no NameID',
    'no SubjectConfirmation',
    'no SubjectConfirmationData',
    'confirmed by holder-of-key',
    'confirmed by sender-vouches',
    'no AuthnStatement',
    'status Responder with a signed Assertion',
    'status Requester with a signed Assertion',
    'status Responder, with Success below it',
    'no Status',
    'Version 1.1 of the Response',
    'Version 1.1 of the Assertion',
    'the namespaces of SAML 1.1',
    'namespaces of nobody',
    'a condition that nobody knows',
  ],
  documents: [
    'a DOCTYPE',
    'an entity is declared',
    'an external DTD',
    'an external parameter entity',
    'text after the root',
    'text before the root',
    'nested 20000 deep',
    'ten megabytes of padding',
    '10000 attributes',
    'bytes that are not UTF-8',
    'base64 with rubbish in it',
    'base64 with more after its end',
  ],
};

let idp: SamlIssuer;
let spKey: SamlKey;
let target: SamlTarget;

beforeAll(async () => {
  idp = await createSamlIssuer({ entityId: 'https://idp.test/metadata' });
  spKey = await newSamlKey({ commonName: 'sp.test' });
  target = {
    id: '_request',
    issuer: 'https://sp.test/metadata',
    acsUrl: 'https://sp.test/acs',
    encryptionCertificate: spKey.certificate,
  };
});

/** Whom bare node-saml lets in. Throws when it lets in nobody. */
async function letIn({ requires }: Pick<SamlAttack, 'requires'>, answer: SamlAnswer): Promise<Profile | null> {
  const sp = new SAML({
    issuer: target.issuer,
    audience: target.issuer,
    callbackUrl: target.acsUrl,
    idpIssuer: idp.entityId,
    idpCert: idp.certificate(),
    decryptionPvk: spKey.privateKey,
    acceptedClockSkewMs: skewSeconds * 1_000,
    wantAuthnResponseSigned: requires.response,
    wantAssertionsSigned: requires.assertion,
  });
  const values = formOf(answer).getAll('SAMLResponse');
  // As a framework gives it to a handler: a list, when a field came twice.
  const SAMLResponse = (values.length === 1 ? values[0] : values) as string;
  const { profile } = await sp.validatePostResponseAsync({ SAMLResponse });
  return profile;
}

describe('the corpus', () => {
  test('names each item, and beside each refusal one that is accepted', () => {
    expect(named.size).toBe(corpus.length);
    for (const { name, expected, control } of corpus)
      if (expected === 'refused') expect([name, named.get(control ?? '')?.expected]).toEqual([name, 'accepted']);
  });

  test.each(corpus)('$theme: $name: signatures are $signature', async item => {
    const text = signedTextIn(await item.response(idp, target));
    const found = signaturesIn(text, [spKey.privateKey, idp.foreignKey.privateKey]);
    const holds = (certificate: string) =>
      found.map(({ xml, signature }) => signatureHolds(xml, signature, certificate));
    const byProvider = holds(idp.certificate());
    if (item.signature === 'broken') return expect(byProvider.length === 0 || byProvider.includes(false)).toBe(true);
    expect(found.length).toBeGreaterThanOrEqual(Number(item.signs.response) + Number(item.signs.assertion));
    if (item.signature === 'holding') return expect(byProvider).not.toContain(false);
    expect(byProvider).not.toContain(true);
    if (item.signature === 'foreign') return expect(holds(idp.foreignKey.certificate)).not.toContain(false);
    expect(found.map(each => holdsSomewhere(each, idp.certificate()))).toContain(true);
  });

  test.each([
    ['two SignedInfo, the forged one first', (all: Element[]) => all[0]],
    ['two SignedInfo, the forged one last', (all: Element[]) => all[1]],
    ['two SignedInfo with one Transform each', (all: Element[]) => all[0]],
    ['a comment with a forged digest inside DigestValue', (all: Element[]) => all[0]],
  ] as const)('%s: the forged digest is the right one', async (name, forgedIn) => {
    const text = signedTextIn((await named.get(name)?.response(idp, target)) ?? '');
    const document = parseXml(text);
    const all = allOf(document, 'SignedInfo');
    const info = forgedIn(all) as Element;
    for (const other of all) if (other !== info) other.parentNode?.removeChild(other);
    const digest = oneOf(info, 'DigestValue');
    if (digest.firstChild?.nodeType === 8) digest.textContent = digest.firstChild.nodeValue;
    const verifier = new SignedXml({ publicCert: idp.certificate() });
    verifier.loadSignature(oneOf(document, 'Signature'));
    // It looks at the digests first, and says nothing of the signature when one is wrong.
    expect(() => verifier.checkSignature(writeXml(document))).toThrow('signature value');
  });
});

test('a deflate bomb is a thousandth of what it becomes', () => {
  const bomb = Buffer.from(deflateBomb(2), 'base64');
  expect(bomb.length).toBeLessThan(3_000);
  expect(inflateRawSync(bomb).length).toBeGreaterThan(2_000_000);
});

describe('bare node-saml', () => {
  beforeAll(() => {
    // It warns of each old cipher that it takes.
    jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  });
  afterAll(() => {
    jest.restoreAllMocks();
  });

  test.each(corpus.filter(({ expected }) => expected === 'accepted'))('accepts $theme: $name', async item => {
    expect((await letIn(item, await item.response(idp, target)))?.nameID).toBe('somebody');
  });

  test.each(corpus.filter(({ requires }) => requires.response || requires.assertion))(
    'accepts the control of $theme: $name, insisting on the same signatures',
    async item => {
      const control = named.get(item.control ?? '');
      expect((await letIn(item, (await control?.response(idp, target)) ?? ''))?.nameID).toBe('somebody');
    },
  );

  test('accepts what a service provider has to refuse by checks of its own', async () => {
    const accepted: Record<string, string[]> = {};
    for (const item of corpus.filter(({ expected }) => expected === 'refused')) {
      const isLetIn = await letIn(item, await item.response(idp, target)).then(
        () => true,
        () => false,
      );
      if (isLetIn) (accepted[item.theme] ??= []).push(item.name);
    }
    expect(accepted).toEqual(leftToOthers);
  });

  test('accepts an assertion again, also in a new Response', async () => {
    const once = await idp.responseFor(target, {}, { signs: { response: false, assertion: true } });
    for (const answer of [once, once, inNewResponse(once, idp.newId())])
      expect((await letIn({ requires: { response: false, assertion: true } }, answer))?.nameID).toBe('somebody');
  });

  test('reads a NameID to its end across a comment, and wrongly across other nodes', async () => {
    const nameRead = async (name: string) => {
      const item = named.get(name) as SamlAttack;
      return (await letIn(item, await item.response(idp, target)))?.nameID;
    };
    expect(await nameRead('a comment inside NameID')).toBe(`${victim}.evil.test`);
    expect(await nameRead('CDATA inside NameID')).toBe(`${victim}.evil.test`);
    expect(await nameRead('a processing instruction inside NameID')).toBe(`${victim}y.evil.test`);
    expect(await nameRead('a child element inside NameID')).toBe(victim);
  });
});
