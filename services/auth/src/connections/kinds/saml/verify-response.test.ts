// Everything that is known to have been done to SAML responses, beside honest ones that differ by nothing else.
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  contentCiphers,
  createSamlIssuer,
  formOf,
  newSamlKey,
  type SamlAnswer,
  type SamlAttack,
  samlAttacks,
} from '@reeve/testing/saml';
import { checkedIdp, type Idp } from './idp-metadata.ts';
import { skewMs } from './read-assertion.ts';
import { verifyResponse } from './verify-response.ts';

const skewSeconds = skewMs / 1_000;
const expected = {
  spEntityId: 'https://sp.test/metadata',
  acsUrl: 'https://sp.test/acs',
  requestId: '_request',
};
const mostMs = 2_000;

/**
 * Ciphers that do not notice changes are refused, but where the signature of the response does: some providers have no
 * other, and nobody can try out changes then.
 */
const coveredBySignature = ['AES-256-CBC', 'AES-128-CBC'];

let issuer: Awaited<ReturnType<typeof createSamlIssuer>>;
let idp: Idp;
let key: Awaited<ReturnType<typeof newSamlKey>>;

beforeAll(async () => {
  issuer = await createSamlIssuer({ entityId: 'https://idp.test/metadata' });
  key = await newSamlKey({ commonName: 'sp.test' });
  idp = checkedIdp({
    entityId: issuer.entityId,
    sso: { redirect: 'https://idp.test/sso' },
    slo: {},
    certificates: [issuer.certificate()],
    wantsSignedRequests: false,
    validUntil: null,
  });
});

async function verify(answer: SamlAnswer, { requires }: Pick<SamlAttack, 'requires'> = { requires: nothing }) {
  // As the service takes it: a field that is there twice is none.
  const [response = '', ...others] = new URLSearchParams(formOf(answer)).getAll('SAMLResponse');
  if (others.length > 0) throw Object.assign(new Error(), { step: 'saml_malformed' });
  return verifyResponse(response, {
    idp,
    expected,
    wantEncrypted: false,
    wantSigned: wanted(requires),
    privateKeys: async () => [key.privateKey],
    now: new Date(),
  });
}

const outcomeOf = ({ name, signs, expected: outcome }: SamlAttack) =>
  coveredBySignature.includes(name) && signs.response ? 'accepted' : outcome;

const nothing = { response: false, assertion: false };

function wanted({ response, assertion }: SamlAttack['requires']) {
  if (response && assertion) return 'both';
  if (!response && !assertion) return 'either';
  return response ? 'response' : 'assertion';
}

const target = () => ({
  id: expected.requestId,
  issuer: expected.spEntityId,
  acsUrl: expected.acsUrl,
  encryptionCertificate: key.certificate,
});

describe.each(Object.entries(Object.groupBy(samlAttacks({ skewSeconds }), ({ theme }) => theme)))(
  '%s',
  (_, attacks = []) => {
    test.each(attacks.map(attack => ({ ...attack, title: `${attack.name} is ${outcomeOf(attack)}` })))(
      '$title',
      async attack => {
        const answer = await attack.response(issuer, target());
        const began = performance.now();
        const verdict = await verify(answer, attack).then(
          () => 'accepted',
          (error: { step?: unknown }) => (typeof error.step === 'string' ? 'refused' : error),
        );
        expect(verdict).toBe(outcomeOf(attack));
        expect(performance.now() - began).toBeLessThan(mostMs);
      },
    );
  },
);

test.each(['aes256Cbc', 'aes128Cbc'] as const)(
  '%s is refused where only the assertion in it is signed',
  async cipher => {
    const encryption = { certificate: key.certificate, content: contentCiphers[cipher] };
    const of = (encrypts: typeof encryption | { certificate: string }) =>
      issuer.responseFor(target(), {}, { encrypts, signs: { response: false, assertion: true } });
    await expect(verify(await of(encryption))).rejects.toMatchObject({ step: 'saml_algorithm' });
    await expect(verify(await of({ certificate: key.certificate }))).resolves.toMatchObject({ nameId: 'somebody' });
  },
);

test('what nobody has signed costs no more where there are many certificates', async () => {
  const many = Array.from({ length: 9 }, async () => (await newSamlKey({ commonName: 'another' })).certificate);
  const certificates = [...(await Promise.all(many)), issuer.certificate()];
  const forged = await issuer.responseFor(
    target(),
    {},
    {
      signs: { response: false, assertion: true },
      finished: xml => xml.replace('</saml:Assertion>', `${'<a/>'.repeat(2_900)}</saml:Assertion>`),
    },
  );
  const settings = { expected, wantEncrypted: false, wantSigned: 'either' } as const;
  async function msWith(provider: Idp): Promise<number> {
    const began = performance.now();
    const refused = verifyResponse(forged, {
      ...settings,
      idp: provider,
      privateKeys: async () => [],
      now: new Date(),
    });
    await expect(refused).rejects.toMatchObject({ step: 'saml_signature' });
    return performance.now() - began;
  }
  await msWith(idp);
  const [withOne, withTen] = [await msWith(idp), await msWith({ ...idp, certificates })];
  expect(withTen).toBeLessThan(4 * withOne + 50);
});

test.each(['p1\u00a0', '\ufeffp1', 'p1\u3000', 'p1\u2029'])(
  'a blank that XML does not know is a part of the name (%j)',
  async nameId => {
    issuer.is({ nameId, attributes: { employee: nameId } });
    const said = await verify(await issuer.responseFor(target()));
    expect([said.nameId, said.attributes['employee']]).toEqual([nameId, [nameId]]);
    issuer.is({ nameId: 'somebody', attributes: {} });
  },
);

test.each(['\u0085', '\u2028'])('a line end that some parsers do not know (%j) is refused', async end => {
  const finished = (xml: string) => xml.replace('<saml:AttributeStatement', `${end}<saml:AttributeStatement`);
  issuer.is({ nameId: 'somebody', attributes: { a: 'b' } });
  const response = await issuer.responseFor(target(), {}, { finished });
  await expect(verify(response)).rejects.toMatchObject({ step: 'saml_malformed' });
  await expect(verify(await issuer.responseFor(target()))).resolves.toMatchObject({ nameId: 'somebody' });
});
