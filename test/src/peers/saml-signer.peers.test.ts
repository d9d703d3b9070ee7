// Signing in by SAML with pysaml2, in a real browser: a second hand at XML signatures (libxmlsec's), which does by
// itself much of what Reeve refuses.
import { describe, expect, test } from '@jest/globals';
import type { SamlSigner } from '@reeve/local/saml-signer';
import { chromiumHint, chromiumPath } from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { runningSystem } from '../support/running-system.ts';
import { company, goToSignIn, inChromium, refusals, serviceProviderMetadata, signOut } from './peer-sign-in.ts';
import { lackingSamlSigner, runningPeers } from './running-peers.ts';
import { type IdpWanted, makeIdp } from './saml-signer-idp.ts';

const { samlSigner } = runningPeers();
const isThere = samlSigner !== null && chromiumPath !== undefined;

given(isThere, samlSigner === null ? lackingSamlSigner : chromiumHint).describe('by pysaml2', () => {
  const credentials = runningSystem();
  const { newPerson } = inChromium();
  const ada = {
    username: 'ada',
    password: 'a correct horse',
    attributes: { mail: ['ada@acme.example'], givenName: ['Ada'], sn: ['Lovelace'] },
  };

  async function companyAt(wanted: Omit<IdpWanted, 'people'> = {}) {
    const idp = await makeIdp(samlSigner as SamlSigner, { people: [ada], ...wanted });
    const own = await company(credentials, {
      // Without, our metadata offers no key, and pysaml2 encrypts nothing.
      settings: {
        kind: 'saml',
        saml: { metadataUrl: idp.metadataUrl, wantEncrypted: Boolean(wanted.encryptAssertion) },
      },
      introduce: async connection => idp.meet(await serviceProviderMetadata(credentials, connection)),
    });
    return { own, idp };
  }

  async function signInAnew({ own, idp }: Awaited<ReturnType<typeof companyAt>>) {
    const page = await newPerson();
    const signIn = await goToSignIn(page, own);
    await idp.logIn(page, ada);
    return { page, ...(await signIn.finish()) };
  }

  describe('somebody signs in', () => {
    test.each([
      ['a signed assertion', {}],
      ['a signed response', { signAssertion: false, signResponse: true }],
      ['both', { signResponse: true }],
      ['a signed assertion, for a signed request alone', { wantRequestsSigned: true }],
    ])('by %s', async (_, wanted) => {
      const at = await companyAt(wanted);
      const { claims } = await signInAnew(at);
      expect(claims).toMatchObject({
        tid: at.own.tenant.id,
        email: 'ada@acme.example',
        name: 'Ada Lovelace',
        amr: ['fed', 'pwd'],
        acr: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
      });
      expect((await signInAnew(at)).claims.sub).toBe(claims.sub);
    });

    test('with the right password, and stays there with a wrong one', async () => {
      const { own, idp } = await companyAt();
      const page = await newPerson();
      const signIn = await goToSignIn(page, own);
      await idp.logIn(page, { ...ada, password: 'wrong' });
      await page.getByText('Username or password is wrong.').waitFor();
      await idp.logIn(page, ada);
      expect((await signIn.finish()).claims).toMatchObject({ email: 'ada@acme.example' });
    });

    test('and out at the application, which pysaml2 confirms', async () => {
      const at = await companyAt();
      const { page } = await signInAnew(at);
      const visited: string[] = [];
      page.on('response', response => visited.push(`${response.status()} ${response.url().replace(/\?.*/, '')}`));
      await signOut(page, credentials);
      expect(visited).toContain(`200 ${at.idp.signOutUrl}`);
      expect(visited).toContainEqual(expect.stringMatching(/^303 .*\/saml\/con_[^/]+\/slo$/));
    });
  });

  describe('nobody is let in', () => {
    test.each([
      ['nothing that is signed', { signAssertion: false }, 'saml_signature'],
      ['a signature by SHA-1, as pysaml2 signs by itself', { bySha1: true }, 'saml_algorithm'],
      ['Triple DES, as pysaml2 encrypts', { encryptAssertion: true }, 'saml_algorithm'],
      ['Triple DES in a signed response', { encryptAssertion: true, signResponse: true }, 'saml_algorithm'],
    ])('by %s', async (_, wanted, reason) => {
      const { own, idp } = await companyAt(wanted);
      const page = await newPerson();
      await goToSignIn(page, own);
      await idp.logIn(page, ada);
      expect(await refusals(page, own)).toEqual([reason]);
    });

    test('by a response that nobody asked for', async () => {
      const { own, idp } = await companyAt();
      const page = await newPerson();
      await page.goto(idp.unsolicitedUrl);
      await idp.logIn(page, ada);
      expect(await refusals(page, own)).toEqual(['unsolicited']);
    });
  });
});
