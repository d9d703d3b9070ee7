// A whole sign-in by way of somebody else's identity provider, against Keycloak that brokers to the same one: from the
// application's first redirect to its tokens, of people who are new, eight at once.
import { randomUUID } from 'node:crypto';
import type { Keycloak } from '@reeve/local/keycloak';
import { freePort } from '@reeve/local/ports';
import { createRealm, type Realm } from '../peers/keycloak-realm.ts';
import type { Bench, BenchContext } from './bench-context.ts';
import {
  type Application,
  callback,
  type Door,
  doorOf,
  everybodyIsNew,
  type Protocol,
  prepared,
  repeat,
  signInBy,
} from './sign-in.ts';

const atOnce = 8;
const [warmUps, rounds, each] = [400, 3, 120];

let started: Promise<Keycloak> | undefined;

/** What Keycloak knows of the provider. */
function brokered({ identityProvider, samlProvider }: BenchContext, protocol: Protocol): Record<string, string> {
  if (protocol === 'saml')
    return {
      idpEntityId: samlProvider.entityId,
      singleSignOnServiceUrl: samlProvider.ssoUrl,
      signingCertificate: samlProvider.certificate().replaceAll(/-----[^-]+-----|\s/g, ''),
      validateSignature: 'true',
      wantAuthnRequestsSigned: 'true',
      signatureAlgorithm: 'RSA_SHA256',
      postBindingResponse: 'true',
      nameIDPolicyFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      principalType: 'SUBJECT',
    };
  const { issuer } = identityProvider;
  return {
    issuer,
    authorizationUrl: `${issuer}/authorize`,
    tokenUrl: `${issuer}/token`,
    jwksUrl: `${issuer}/keys`,
    useJwksUrl: 'true',
    validateSignature: 'true',
    clientId: 'bench',
    clientSecret: 'bench',
    clientAuthMethod: 'client_secret_basic',
    defaultScope: 'openid email profile',
    pkceEnabled: 'true',
    pkceMethod: 'S256',
  };
}

/** A realm whose people come from that provider, and are asked for nothing on their way. */
export async function brokering(context: BenchContext, protocol: Protocol): Promise<{ door: Door; realm: Realm }> {
  started ??= freePort().then(context.startKeycloak);
  const realm = await createRealm(await started);
  const alias = 'company';
  await realm.admin.ask('POST', '/identity-provider/instances', {
    alias,
    providerId: protocol,
    enabled: true,
    trustEmail: true,
    firstBrokerLoginFlowAlias: 'first broker login',
    config: brokered(context, protocol),
  });
  // By OpenID Connect they are taken over without being told.
  const taken = { email: 'email', given_name: 'firstName', family_name: 'lastName' };
  for (const [attribute, property] of protocol === 'saml' ? Object.entries(taken) : [])
    await realm.admin.ask('POST', `/identity-provider/instances/${alias}/mappers`, {
      name: property,
      identityProviderAlias: alias,
      identityProviderMapper: 'saml-user-attribute-idp-mapper',
      config: { syncMode: 'INHERIT', 'attribute.name': attribute, 'user.attribute': property },
    });
  const application: Application = { clientId: 'application', clientSecret: randomUUID() };
  await realm.admin.make('/clients', {
    clientId: application.clientId,
    secret: application.clientSecret,
    protocol: 'openid-connect',
    publicClient: false,
    standardFlowEnabled: true,
    redirectUris: [callback],
  });
  // A token of `offline_access` is another thing there, and costs more.
  const scope = 'openid email profile';
  const endpoints = `${realm.issuer}/protocol/openid-connect`;
  const authorize = `${endpoints}/auth?kc_idp_hint=${alias}`;
  return { door: { authorize, token: `${endpoints}/token`, application, scope }, realm };
}

const signInBesideKeycloak = (protocol: Protocol): Bench => ({
  name: `auth: sign-in beside keycloak, ${protocol}`,
  unit: 'sign-ins/s',
  floorIs: 'Keycloak 26.7.3, warmed, that brokers to the same identity provider',
  wanted: 1,
  async run(context) {
    everybodyIsNew(context);
    const { application } = await prepared(context, protocol);
    const ours = doorOf(context.credentials.urls.auth, application);
    const { door: theirs } = await brokering(context, protocol);
    for (const door of [ours, theirs]) await repeat(warmUps, atOnce, () => signInBy(door));
    const perSecond = { ours: 0, theirs: 0 };
    for (let round = 0; round < rounds; round += 1) {
      perSecond.ours += (await repeat(each, atOnce, () => signInBy(ours))) / rounds;
      perSecond.theirs += (await repeat(each, atOnce, () => signInBy(theirs))) / rounds;
    }
    const database = process.env['REEVE_BENCH_POSTGRES'] === undefined ? 'in memory' : 'PostgreSQL';
    return { ours: perSecond.ours, floor: perSecond.theirs, details: { keycloakKeepsIt: database } };
  },
});

export const signInsBesideKeycloak = (['oidc', 'saml'] as const).map(signInBesideKeycloak);
