// The relying-party modules of the OpenID conformance suite, each against a provider that lies as the module says.
// Beside each refusal the same connection is tried with the truth.
import { afterAll, describe, expect, test } from '@jest/globals';
import { type Lies, newProviderKey, type ProviderKey, signedBy } from '@reeve/testing';
import {
  accepted,
  hmacBy,
  type Row,
  signedRawly,
  startLyingProvider,
  unsigned,
} from './lying-provider.test-support.ts';
import { connected, endOf } from './oidc.test-support.ts';

const { provider, key, other, elliptic, truth, claiming, lacking, sparse, ends, endsWithControl } =
  await startLyingProvider();
afterAll(() => provider.stop());

const modules: Row[] = [
  ['base', () => ({}), accepted],
  ['invalid-iss', () => claiming({ iss: 'https://evil.example' }), 'id_token_claims'],
  ['missing-sub', () => lacking('sub'), 'subject_missing'],
  ['invalid-aud', () => claiming({ aud: 'somebody-else' }), 'id_token_claims'],
  ['missing-aud', () => lacking('aud'), 'id_token_claims'],
  ['missing-iat', () => lacking('iat'), 'id_token_claims'],
  [
    'kid-absent-single-jwks',
    () => ({
      keys: () => ({ keys: [{ ...key.jwk, kid: undefined }] }),
      idToken: claims => signedBy(key, claims, { kid: undefined }),
    }),
    accepted,
  ],
  [
    'kid-absent-multiple-jwks',
    () => ({
      keys: () => ({ keys: [key.jwk, other.jwk] }),
      idToken: claims => signedBy(key, claims, { kid: undefined }),
    }),
    'id_token_signature',
  ],
  ['idtoken-sig-rs256', () => ({ idToken: claims => signedBy(key, claims) }), accepted],
  ['idtoken-sig-none', () => ({ idToken: unsigned('none') }), 'id_token_signature'],
  [
    'invalid-sig-rs256',
    () => ({ idToken: claims => signedBy({ ...other, kid: key.kid }, claims) }),
    'id_token_signature',
  ],
  ['invalid-sig-hs256', () => ({ idToken: signedRawly({ alg: 'HS256' }, hmacBy('the secret')) }), 'id_token_signature'],
  [
    'invalid-sig-es256',
    async () => {
      const stranger = await newProviderKey('ES256');
      return { idToken: claims => signedBy({ ...stranger, kid: elliptic.kid }, claims) };
    },
    'id_token_signature',
  ],
  [
    'userinfo-invalid-sub',
    () => ({ ...sparse(), userInfo: () => ({ sub: 'eve', email: 'e@e.example' }) }),
    'user_info',
  ],
  ['nonce-invalid', () => claiming({ nonce: 'of-another-request' }), 'id_token_claims'],
  ['scope-userinfo-claims', sparse, accepted],
  ['client-secret-basic', () => ({}), accepted],
  ['discovery-openid-config', () => ({}), accepted],
  ['discovery-jwks-uri-keys', () => ({}), accepted],
  ['discovery-issuer-mismatch', () => ({ discovery: { issuer: 'https://evil.example' } }), 'connection_unreachable'],
  ['signing-key-rotation', () => ({}), accepted],
  ['signing-key-rotation-just-before-signing', () => ({}), accepted],
  ['invalid-athash', () => claiming({ at_hash: 'A'.repeat(22) }), 'access_token_hash'],
  ['missing-athash', () => lacking('at_hash'), accepted],
  [
    'userinfo-signed',
    () => ({
      ...sparse(),
      userInfo: () => signedBy(key, { sub: 'ada', email: 'ada@userinfo.example', iss: provider.issuer, aud: 'reeve' }),
    }),
    accepted,
  ],
  ['userinfo-bearer-header', sparse, accepted],
];

/**
 * Of the plans that are not here: form_post is the basic one by a form, which is never asked for; we register at an
 * identity provider by hand and not dynamically; signing out, and signing in that somebody else begins, are not what a
 * connection does.
 */
const notOurs: Record<string, string> = {
  'invalid-chash': 'c_hash belongs to the hybrid flow: we ask for a code alone',
  'missing-chash': 'c_hash belongs to the hybrid flow: we ask for a code alone',
  'userinfo-bearer-body':
    'the token goes in the header, where every server takes it (RFC 6750 §2.2 advises against a form)',
  'mtls-endpoint-aliases': 'we have no certificates of clients',
  'form-post-error': 'no response_mode is asked for: a form of another site would come without its cookies',
  'refresh-token': 'an identity provider is asked once for each sign-in, and no refresh token is kept',
  'refresh-token-invalid-issuer': 'the same',
  'refresh-token-invalid-sub': 'the same',
};

/** Of the certification plans basic and config, and of the modules that are in no plan. */
const named = `base invalid-iss missing-sub invalid-aud missing-iat kid-absent-single-jwks kid-absent-multiple-jwks
    idtoken-sig-rs256 idtoken-sig-none invalid-sig-rs256 userinfo-invalid-sub nonce-invalid scope-userinfo-claims
    client-secret-basic discovery-openid-config discovery-jwks-uri-keys discovery-issuer-mismatch
    signing-key-rotation-just-before-signing signing-key-rotation invalid-sig-hs256 invalid-sig-es256 missing-aud
    invalid-athash missing-athash invalid-chash missing-chash userinfo-signed userinfo-bearer-header
    userinfo-bearer-body mtls-endpoint-aliases form-post-error refresh-token refresh-token-invalid-issuer
    refresh-token-invalid-sub`.split(/\s+/);

describe('the modules of the conformance suite', () => {
  test.each(modules)('oidcc-client-test-%s', async (_, lie, end) => {
    expect(await ends(await lie())).toBe(end);
    if (end === accepted || end === 'connection_unreachable') expect(await ends({})).toBe(accepted);
    else expect(await endsWithControl(await lie())).toEqual([end, accepted]);
  });

  test('are all here, or it is said why not', () => {
    expect([...modules.map(([module]) => module), ...Object.keys(notOurs)].toSorted()).toEqual(named.toSorted());
  });
});

describe('what those modules look at besides', () => {
  test('scope-userinfo-claims: what the ID token lacks is that of UserInfo, asked by a token in the header', async () => {
    provider.lies({ ...truth(), ...sparse() });
    const one = await connected(provider);
    expect(await one.signIn()).toMatchObject({ email: 'ada@userinfo.example', displayName: 'Ada of UserInfo' });
    const asked = provider.requests.findLast(({ path }) => path === '/userinfo');
    expect([asked?.headers.authorization, [...(asked?.form ?? [])]]).toEqual(['Bearer opaque', []]);
  });

  test('userinfo-signed: an answer that is signed counts when the issuer has signed it for us', async () => {
    const said = { sub: 'ada', email: 'ada@userinfo.example', iss: provider.issuer, aud: 'reeve' };
    const one = async (userInfo: Lies['userInfo'] & {}) => {
      provider.lies({ ...truth(), ...sparse(), userInfo });
      return endOf(connected(provider).then(made => made.signIn()));
    };
    expect(await one(() => signedBy(key, said))).toBe(accepted);
    for (const forged of [
      () => signedBy({ ...other, kid: key.kid }, said),
      () => signedBy(key, { ...said, aud: 'them' }),
      () => signedBy(key, { ...said, iss: 'https://evil.example' }),
      () => signedBy(key, { ...said, sub: 'eve' }),
      () => unsigned('none')(said),
    ])
      expect(await one(forged)).toBe('user_info');
  });

  test('client-secret-basic: both parts are written as forms are; client_secret_post where only that is taken', async () => {
    const odd = { clientId: 'a:b c', clientSecret: 'p%:+ß' };
    const lastAsked = () => provider.requests.findLast(({ path }) => path === '/token');
    provider.lies(truth());
    await connected(provider, { given: odd }).then(one => one.signIn());
    const [kind, text = ''] = lastAsked()?.headers.authorization?.split(' ') ?? [];
    expect([kind, Buffer.from(text, 'base64').toString()]).toEqual(['Basic', 'a%3Ab+c:p%25%3A%2B%C3%9F']);
    expect(lastAsked()?.form.has('client_secret')).toBe(false);
    const discovery = { ...truth().discovery, token_endpoint_auth_methods_supported: ['client_secret_post'] };
    provider.lies({ ...truth(), discovery });
    await connected(provider, { given: odd }).then(one => one.signIn());
    expect(lastAsked()?.headers.authorization).toBeUndefined();
    expect(lastAsked()?.form.get('client_secret')).toBe('p%:+ß');
  });

  test('signing-key-rotation: a new key counts at once, also under the old name, and the old one no more', async () => {
    const first = await newProviderKey('ES256');
    const ends: string[] = [];
    const serving = (served: ProviderKey, header = {}, signer = served): Lies => ({
      ...truth(),
      keys: () => ({ keys: [served.jwk] }),
      idToken: claims => signedBy(signer, claims, header),
    });
    provider.lies(serving(first));
    const one = await connected(provider);
    const comes = async (lies: Lies) => {
      provider.lies(lies);
      ends.push(await endOf(one.signIn()));
    };
    await comes(serving(first));
    const second = await newProviderKey('ES256');
    await comes(serving(second));
    const renamed = await newProviderKey('ES256');
    await comes(serving({ ...renamed, kid: second.kid, jwk: { ...renamed.jwk, kid: second.kid } }));
    const unnamed = await newProviderKey('ES256');
    await comes(serving({ ...unnamed, jwk: { ...unnamed.jwk, kid: undefined as never } }, { kid: undefined }));
    expect(ends).toEqual([accepted, accepted, accepted, accepted]);
    await comes(serving(unnamed, {}, first));
    expect(ends.at(-1)).toBe('id_token_signature');
  });

  test('discovery: what was pinned stays, whatever the document says later', async () => {
    provider.lies(truth());
    const one = await connected(provider);
    const evil = `${provider.issuer}/evil`;
    const moved = { authorization_endpoint: evil, token_endpoint: evil, jwks_uri: evil, userinfo_endpoint: evil };
    provider.lies({ ...truth(), ...sparse(), discovery: { ...truth().discovery, ...moved } });
    expect(await endOf(one.signIn())).toBe(accepted);
    expect(provider.requests.filter(({ path }) => path === '/evil')).toEqual([]);
    await expect(one.kind.test(one.at.settings)).rejects.toThrow('another authorization_endpoint');
  });
});

const announcing = { discovery: { authorization_response_iss_parameter_supported: true } };
describe('the issuer beside the code (RFC 9207)', () => {
  test.each([
    ['is missing, though it was announced', undefined, 'response_mismatch'],
    ['is another', 'https://evil.example', 'response_mismatch'],
    ['is written otherwise', 'ISSUER/', 'response_mismatch'],
    ['is the one that was asked', 'ISSUER', accepted],
  ])('that %s', async (_, iss, end) => {
    const back = (parameters: URLSearchParams) => {
      if (iss !== undefined) parameters.set('iss', iss.replace('ISSUER', provider.issuer));
    };
    expect(await ends({ ...announcing, back })).toBe(end);
    // With an error as with a code: compared before either is used.
    const refusing = (parameters: URLSearchParams) => {
      back(parameters);
      parameters.delete('code');
      parameters.set('error', 'access_denied');
    };
    expect(await ends({ ...announcing, back: refusing })).toBe(end === accepted ? 'refused_by_provider' : end);
  });
});
