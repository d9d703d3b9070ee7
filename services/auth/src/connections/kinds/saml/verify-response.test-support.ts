// Prints how many responses a second are verified by us, and how many by bare node-saml, in turns: as JSON for
// test/src/bench/saml.ts, which runs this as a process of its own.
import { SAML } from '@node-saml/node-saml';
import { createSamlIssuer } from '@reeve/testing/saml';
import { sideBySide } from '../side-by-side.test-support.ts';
import { checkedIdp } from './idp-metadata.ts';
import { verifyResponse } from './verify-response.ts';

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

const done = await sideBySide({ ours: async () => ours, bare: async () => bare }, { rounds: 6, each: 100 });
process.stdout.write(JSON.stringify({ ...done, bytes: response.length }));
