// Prints how many responses a second are verified by us, and how many by bare node-saml, in turns: as JSON for
// test/src/bench/saml.ts, which runs this as a process of its own.
import { SAML } from '@node-saml/node-saml';
import { createSamlIssuer } from '@reeve/testing/saml';
import { checkedIdp } from './idp-metadata.ts';
import { verifyResponse } from './verify-response.ts';

const [rounds, each] = [6, 100];
const signs = { response: true, assertion: true };

const issuer = await createSamlIssuer({ entityId: 'https://idp.test/metadata' });
const expected = { spEntityId: 'https://sp.test/metadata', acsUrl: 'https://sp.test/acs', requestId: '_request' };
const { spEntityId, acsUrl } = expected;
const idp = checkedIdp({
  entityId: issuer.entityId,
  sso: { redirect: 'https://idp.test/sso' },
  slo: {},
  certificates: [issuer.certificate()],
  wantsSignedRequests: false,
  validUntil: null,
});
const groups = Array.from({ length: 50 }, (_, index) => `a group of the directory with the number ${index}`);
issuer.is({ nameId: 'ada', attributes: { email: 'ada@acme.example', groups } });
const response = await issuer.responseFor({ id: expected.requestId, issuer: spEntityId, acsUrl }, {}, { signs });

const settings = { idp, expected, wantEncrypted: false, wantSigned: 'either' } as const;
const ours = () => verifyResponse(response, { ...settings, privateKeys: async () => [], now: new Date() });
const bare = () =>
  new SAML({
    issuer: spEntityId,
    callbackUrl: acsUrl,
    audience: spEntityId,
    idpCert: idp.certificates,
    wantAuthnResponseSigned: signs.response,
    wantAssertionsSigned: signs.assertion,
  }).validatePostResponseAsync({ SAMLResponse: response });

async function secondsOf(verify: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  for (let count = 0; count < each; count += 1) await verify();
  return (performance.now() - began) / 1_000;
}

await secondsOf(ours);
await secondsOf(bare);
let [oursSeconds, bareSeconds] = [0, 0];
for (let round = 0; round < rounds; round += 1) {
  oursSeconds += await secondsOf(ours);
  bareSeconds += await secondsOf(bare);
}
const total = rounds * each;
process.stdout.write(JSON.stringify({ ours: total / oursSeconds, bare: total / bareSeconds, bytes: response.length }));
